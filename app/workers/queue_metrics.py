"""How many orders wait, and for how long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry

from app.core.exceptions import DatabaseUnavailableError
from app.core.logging import get_logger
from app.db.engine import Database
from app.repositories.orders import OrderRepository, PendingOrders

_log = get_logger(__name__)

INTERVAL_S = 1.0
STALE_S = 5.0


class QueueMetrics(Collector):
    """Publishes the depth and age of the queue as the database knows them.

    Counted are orders taken and not decided, wherever they are: in the outbox, in Redis, in a worker's hands.
    So the figures hold when Redis is away, and every worker reports the same ones: take the maximum over
    pods, not the sum. When the database has not been heard of for 5 s there are no figures, because an
    old zero would read as an empty queue.
    """

    def __init__(self, database: Database, registry: CollectorRegistry) -> None:
        self._database = database
        self._pending: PendingOrders | None = None
        self._read_at_s = float("-inf")
        registry.register(self)

    async def run(self, stop: asyncio.Event) -> None:
        """Look once a second until `stop` is set."""
        while not stop.is_set():
            await self.refresh()
            try:
                async with asyncio.timeout(INTERVAL_S):
                    await stop.wait()
            except TimeoutError:
                continue

    async def refresh(self) -> None:
        """Look now. An absent database is waited out."""
        try:
            async with self._database.session() as session:
                self._pending = await OrderRepository(session).pending()
            self._read_at_s = time.monotonic()
        except DatabaseUnavailableError:
            return
        except Exception:  # noqa: BLE001 - a failed look must not end the worker
            _log.exception("queue_metrics_failed")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What a scrape gets."""
        if self._pending is None or time.monotonic() - self._read_at_s > STALE_S:
            return
        oldest = self._pending.oldest_created_at
        # Still waiting at the scrape, as far as is known, so its age has grown since the look.
        age_s = max(0.0, time.time() - oldest.timestamp()) if oldest else 0.0
        yield GaugeMetricFamily(
            "tidegate_queue_depth",
            "Orders taken and not decided (the same on every pod)",
            self._pending.count,
        )
        yield GaugeMetricFamily(
            "tidegate_dead_letters", "Orders set aside as undecidable (see app.dead)", self._pending.dead
        )
        yield GaugeMetricFamily("tidegate_queue_age_seconds", "Age of the oldest undecided order", age_s)
