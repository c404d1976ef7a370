"""What one application holds for as long as it lives."""

from __future__ import annotations

from dataclasses import dataclass, field

from app.core.lifecycle import Lifecycle
from app.core.metrics import Metrics
from app.core.settings import Settings
from app.db.engine import Database
from app.services.fraud_pool import FraudPool
from app.services.queue_age import QueueAgeGuard


@dataclass(frozen=True)
class Resources:
    """Made with the application, closed with it."""

    settings: Settings
    database: Database
    fraud: FraudPool
    queue_age: QueueAgeGuard
    metrics: Metrics
    lifecycle: Lifecycle = field(default_factory=Lifecycle)

    @classmethod
    def create(cls, settings: Settings, *, application: str) -> Resources:
        """Make everything; nothing connects yet.

        Args:
            application: the process's name, as the database shows it.
        """
        metrics = Metrics()
        return cls(
            settings=settings,
            database=Database(
                settings.database_url.get_secret_value(),
                pool_size=settings.db_pool_size,
                pool_wait_s=settings.db_pool_wait_s,
                application=application,
            ),
            fraud=FraudPool(
                weight=settings.fraud_weight, queue_limit=settings.fraud_queue_limit, metrics=metrics
            ),
            queue_age=QueueAgeGuard(settings.queue_age_limit_s),
            metrics=metrics,
        )

    async def close(self) -> None:
        """Give back threads and connections."""
        self.fraud.close()
        await self.database.dispose()
