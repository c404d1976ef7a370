"""The relay inside the web process, for running the whole service alone, without Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from app.resources import Resources
from app.services.decisions import DecisionService
from app.workers.attempts import Attempts
from app.workers.dispatch import DirectDispatcher
from app.workers.queue_metrics import QueueMetrics
from app.workers.relay import Relay


@asynccontextmanager
async def inline_worker(resources: Resources) -> AsyncGenerator[None, None]:
    """Decide version 2 orders here for as long as the context lasts."""
    decisions = DecisionService(resources.database, resources.fraud, resources.metrics, resources.changes)
    relay = Relay(
        resources.database,
        DirectDispatcher(Attempts(resources.database, decisions, resources.tracing)),
        poll_s=resources.settings.outbox_poll_s,
        redeliver_after_s=resources.settings.redeliver_after_s,
    )
    queue = QueueMetrics(resources.database, resources.metrics.registry)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run(stop))
        tasks.create_task(queue.run(stop))
        try:
            yield
        finally:
            stop.set()
