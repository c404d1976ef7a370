from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import update

from app.core.settings import Settings
from app.db.base import utc_now
from app.db.engine import Database
from app.db.models import Order, OrderStatus
from app.migrations.seed import account_id
from app.workers import queue_metrics
from app.workers.queue_metrics import QueueMetrics


def _depth(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("tidegate_queue_depth")


def _age_s(registry: CollectorRegistry) -> float | None:
    return registry.get_sample_value("tidegate_queue_age_seconds")


def _pending(ago_s: float) -> Order:
    return Order(
        id=uuid.uuid4(),
        account_id=account_id(1),
        status=OrderStatus.PENDING,
        api_version="v2",
        amount_cents=1,
        created_at=utc_now() - timedelta(seconds=ago_s),
    )


def test_depth_and_age_are_those_of_the_undecided_orders(shop: Settings) -> None:
    async def scenario() -> None:
        registry = CollectorRegistry()
        database = Database(shop.database_url.get_secret_value(), pool_size=1, application="test")
        metrics = QueueMetrics(database, registry)
        await metrics.refresh()
        assert (_depth(registry), _age_s(registry)) == (0, 0)
        async with database.session() as session:
            session.add_all([_pending(500), _pending(20)])
            await session.commit()
        await metrics.refresh()
        assert _depth(registry) == 2
        age_s = _age_s(registry)
        assert age_s is not None
        assert 500 <= age_s < 560
        async with database.session() as session:
            await session.execute(update(Order).values(status=OrderStatus.ACCEPTED))
            await session.commit()
        await metrics.refresh()
        assert (_depth(registry), _age_s(registry)) == (0, 0)
        await database.dispose()

    asyncio.run(scenario())


def test_what_is_not_known_is_not_reported(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        registry = CollectorRegistry()
        database = Database(shop.database_url.get_secret_value(), pool_size=1, application="test")
        metrics = QueueMetrics(database, registry)
        assert _depth(registry) is None
        await metrics.refresh()
        assert _depth(registry) == 0
        # As if the last good look lay longer back than a look may.
        monkeypatch.setattr(queue_metrics, "STALE_S", -1.0)
        assert _depth(registry) is None
        assert _age_s(registry) is None
        await database.dispose()

    asyncio.run(scenario())
