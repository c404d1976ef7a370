"""What one application holds for as long as it lives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.cache.queries import QueryCache
from app.cache.responses import ResponseCache
from app.cache.shared import SharedLayer
from app.core.keys import KeyRing, parse_keys
from app.core.lifecycle import Lifecycle
from app.core.metrics import Metrics
from app.core.passwords import PasswordChecker
from app.core.settings import Settings
from app.core.tokens import TokenService
from app.db.engine import Database
from app.services.fraud_pool import FraudPool
from app.services.order_updates import OrderUpdates
from app.services.profiler import Profiler
from app.services.queue_age import QueueAgeGuard
from app.services.readiness import Readiness
from app.shared.changes import Changes
from app.shared.limiter import RateLimiter
from app.shared.limits import Limits
from app.shared.link import RedisLink

if TYPE_CHECKING:
    from app.telemetry.tracing import Tracing


@dataclass(frozen=True)
class Resources:
    """Made with the application, closed with it."""

    settings: Settings
    database: Database
    readiness: Readiness
    fraud: FraudPool
    queue_age: QueueAgeGuard
    metrics: Metrics
    tokens: TokenService
    link: RedisLink
    changes: Changes
    order_updates: OrderUpdates
    limiter: RateLimiter
    limits: Limits
    queries: QueryCache
    responses: ResponseCache
    passwords: PasswordChecker
    profiler: Profiler
    lifecycle: Lifecycle
    tracing: Tracing | None
    """None where tracing is off."""

    @classmethod
    def create(cls, settings: Settings, *, application: str) -> Resources:
        """Make everything; nothing connects yet.

        Args:
            application: the process's name, as the database shows it.
        """
        metrics = Metrics()
        lifecycle = Lifecycle()
        keys, redis_url = settings.auth_keys, settings.redis_url
        database = Database(
            settings.database_url.get_secret_value(),
            pool_size=settings.db_pool_size,
            pool_wait_s=settings.db_pool_wait_s,
            application=application,
        )
        tracing = _tracing(settings, application)
        if tracing is not None:
            tracing.watch(database)
        link = RedisLink(
            redis_url.get_secret_value() if redis_url else None, timeout_s=settings.redis_timeout_s
        )
        changes = Changes(link)
        return cls(
            settings=settings,
            database=database,
            readiness=Readiness(database.ping),
            fraud=FraudPool(
                weight=settings.fraud_weight, queue_limit=settings.fraud_queue_limit, metrics=metrics
            ),
            queue_age=QueueAgeGuard(settings.queue_age_limit_s),
            metrics=metrics,
            tokens=TokenService(
                parse_keys(keys.get_secret_value()) if keys else KeyRing.draw(),
                ttl_s=settings.auth_token_ttl_s,
            ),
            link=link,
            changes=changes,
            queries=QueryCache(
                SharedLayer(link, ttl_s=settings.cache_shared_ttl_s),
                changes,
                metrics,
                ttl_s=settings.cache_ttl_s if settings.cache else None,
            ),
            responses=ResponseCache(
                changes,
                metrics,
                ttl_s=settings.cache_ttl_s if settings.cache else None,
                stale_s=settings.cache_stale_s,
            ),
            limits=Limits.of(settings),
            limiter=RateLimiter(link, metrics, share=settings.limit_share),
            order_updates=OrderUpdates(database, changes, lifecycle, metrics),
            passwords=PasswordChecker(),
            profiler=Profiler(),
            lifecycle=lifecycle,
            tracing=tracing,
        )

    async def close(self) -> None:
        """Give back threads and connections."""
        self.readiness.close()
        self.fraud.close()
        await self.link.close()
        await self.database.dispose()
        if self.tracing is not None:
            await self.tracing.close()


def _tracing(settings: Settings, application: str) -> Tracing | None:
    if settings.otlp_endpoint is None:
        return None
    # A quarter of a second of CPU that only those pay who want traces.
    from app.telemetry.tracing import Tracing

    return Tracing(settings, application=application)
