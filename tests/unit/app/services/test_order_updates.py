from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from app.core.exceptions import NotFoundError, OverloadedError
from app.core.settings import Settings
from app.db.models import OrderStatus
from app.resources import Resources
from app.services import order_updates
from app.services.decisions import DecisionService
from app.services.order_updates import Watch
from app.services.orders import LineRequest, OrderRequest, OrderService

Scenario = Callable[[Resources, uuid.UUID], Awaitable[None]]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[tuple[Resources, uuid.UUID], None]:
    resources = Resources.create(settings, application="test")
    try:
        async with resources.database.session() as session:
            service = OrderService(session, resources.fraud, resources.queue_age, resources.metrics)
            order = await service.place_pending(OrderRequest("acct-0001", (LineRequest(1, 1),)))
        yield resources, order.id
    finally:
        await resources.close()


def run(settings: Settings, scenario: Scenario) -> None:
    async def main() -> None:
        async with opened(settings) as (resources, order_id):
            await scenario(resources, order_id)

    asyncio.run(main())


async def statuses(watch: Watch, began: asyncio.Event | None = None) -> list[str | None]:
    """All that a follower sees; `began` is set with the first of it."""
    seen: list[str | None] = []
    async with watch:
        async for order in watch.states():
            seen.append(order.status if order is not None else None)
            if began is not None:
                began.set()
    return seen


def decisions(resources: Resources) -> DecisionService:
    return DecisionService(resources.database, resources.fraud, resources.metrics, resources.changes)


@pytest.fixture(autouse=True)
def _never_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a test sees, it was told and did not find out by looking."""
    monkeypatch.setattr(order_updates, "_POLL_S", 3600.0)


def test_a_follower_sees_the_order_and_then_its_decision(shop: Settings) -> None:
    async def scenario(resources: Resources, order_id: uuid.UUID) -> None:
        watch = await resources.order_updates.watch(order_id, "acct-0001")
        began = asyncio.Event()
        following = asyncio.create_task(statuses(watch, began))
        await began.wait()
        await decisions(resources).decide(order_id)
        seen = await following
        assert seen[0] == OrderStatus.PENDING
        assert seen[1:] in ([OrderStatus.ACCEPTED], [OrderStatus.REJECTED])
        assert resources.order_updates.count == 0

    run(shop, scenario)


def test_a_decision_made_before_the_stream_began_is_all_there_is(shop: Settings) -> None:
    async def scenario(resources: Resources, order_id: uuid.UUID) -> None:
        await decisions(resources).decide(order_id)
        seen = await statuses(await resources.order_updates.watch(order_id, "acct-0001"))
        assert len(seen) == 1
        assert seen[0] != OrderStatus.PENDING

    run(shop, scenario)


def test_a_drain_ends_streams_without_a_decision(shop: Settings) -> None:
    async def scenario(resources: Resources, order_id: uuid.UUID) -> None:
        watch = await resources.order_updates.watch(order_id, "acct-0001")
        began = asyncio.Event()
        following = asyncio.create_task(statuses(watch, began))
        await began.wait()
        resources.lifecycle.begin_drain()
        assert await following == [OrderStatus.PENDING]
        assert not watch.decided
        with pytest.raises(OverloadedError):
            await resources.order_updates.watch(order_id, "acct-0001")

    run(shop, scenario)


def test_a_change_that_was_not_told_is_found_after_a_while(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_updates, "_POLL_S", 0.0)

    async def scenario(resources: Resources, order_id: uuid.UUID) -> None:
        watch = await resources.order_updates.watch(order_id, "acct-0001")
        following = asyncio.create_task(statuses(watch))
        async with resources.database.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE orders SET status = 'rejected' WHERE status = 'pending'")
        assert (await following)[-1] == OrderStatus.REJECTED

    run(shop, scenario)


def test_silence_is_broken_now_and_then(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_updates, "_POLL_S", 0.0)
    monkeypatch.setattr(order_updates, "QUIET_S", 0.0)

    async def scenario(resources: Resources, order_id: uuid.UUID) -> None:
        watch = await resources.order_updates.watch(order_id, "acct-0001")
        async with watch:
            states = watch.states()
            assert (await anext(states)) is not None
            assert (await anext(states)) is None
            watch.end()
            assert [state async for state in states] == []

    run(shop, scenario)


def test_strangers_and_too_many_are_refused(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(resources: Resources, order_id: uuid.UUID) -> None:
        updates = resources.order_updates
        for wrong in ((order_id, "acct-0002"), (uuid.UUID(int=1), "acct-0001")):
            with pytest.raises(NotFoundError):
                await updates.watch(*wrong)
        monkeypatch.setattr(order_updates, "MAX_WATCHES", 1)
        async with await updates.watch(order_id, "acct-0001"):
            with pytest.raises(OverloadedError):
                await updates.watch(order_id, "acct-0001")
        await updates.watch(order_id, "acct-0001")

    run(shop, scenario)
