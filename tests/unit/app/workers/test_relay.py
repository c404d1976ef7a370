from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from structlog.testing import capture_logs
from support.children import free_port

from app.core.exceptions import DispatchUnavailableError
from app.core.settings import Settings
from app.db.base import utc_now
from app.db.models import Order, OrderStatus, OutboxEntry
from app.dead import run as run_dead
from app.repositories.orders import OrderRepository
from app.repositories.outbox import Due
from app.resources import Resources
from app.services.decisions import DecisionService
from app.services.orders import LineRequest, OrderRequest, OrderService
from app.workers.attempts import Attempts
from app.workers.dispatch import DirectDispatcher, Dispatcher
from app.workers.queue import RedisDispatcher, connect, make_actor, make_broker
from app.workers.relay import MAX_DELIVERIES, Relay

REDELIVER_S = 100.0


class Mailbox:
    """A dispatcher whose messages nobody reads."""

    def __init__(self) -> None:
        self.sent: list[uuid.UUID] = []
        self.lost = False

    async def check(self) -> bool:
        lost, self.lost = self.lost, False
        return lost

    async def publish(self, entries: Sequence[Due]) -> None:
        self.sent += [entry.order_id for entry in entries]


@asynccontextmanager
async def opened(settings: Settings) -> AsyncGenerator[Resources, None]:
    resources = Resources.create(settings, application="test")
    try:
        yield resources
    finally:
        await resources.close()


def make_relay(resources: Resources, dispatcher: Dispatcher | None = None) -> Relay:
    decisions = DecisionService(resources.database, resources.fraud, resources.metrics, resources.changes)
    return Relay(
        resources.database,
        dispatcher or DirectDispatcher(Attempts(resources.database, decisions)),
        poll_s=resources.settings.outbox_poll_s,
        redeliver_after_s=REDELIVER_S,
    )


async def place(resources: Resources, count: int = 1) -> list[uuid.UUID]:
    placed: list[uuid.UUID] = []
    for number in range(1, count + 1):
        async with resources.database.session() as session:
            service = OrderService(session, resources.fraud, resources.queue_age, resources.metrics)
            order = await service.place_pending(OrderRequest("acct-0001", (LineRequest(number, 1),)))
            placed.append(order.id)
    return placed


async def outbox(resources: Resources) -> Sequence[OutboxEntry]:
    async with resources.database.session() as session:
        return (await session.scalars(select(OutboxEntry).order_by(OutboxEntry.id))).all()


async def statuses(resources: Resources, ids: Sequence[uuid.UUID]) -> set[str]:
    async with resources.database.session() as session:
        return set((await session.scalars(select(Order.status).where(Order.id.in_(ids)))).all())


async def let_pass(resources: Resources, time: timedelta) -> None:
    """As if so much time had gone by."""
    async with resources.database.session() as session:
        for entry in await session.scalars(select(OutboxEntry)):
            entry.due_at -= time
        await session.commit()


def test_what_is_owed_is_decided_and_forgotten(shop: Settings) -> None:
    async def scenario() -> None:
        async with opened(shop) as resources:
            ids = await place(resources, 3)
            assert await statuses(resources, ids) == {OrderStatus.PENDING}
            relay = make_relay(resources)
            assert await relay.turn() == 3
            assert OrderStatus.PENDING not in await statuses(resources, ids)
            assert await outbox(resources) == []
            assert await relay.turn() == 0

    asyncio.run(scenario())


def test_an_entry_is_published_again_ever_later_until_it_is_paid(shop: Settings) -> None:
    async def scenario() -> None:
        async with opened(shop) as resources:
            (order_id,) = await place(resources)
            mailbox = Mailbox()
            relay = make_relay(resources, mailbox)
            waits_s: list[float] = []
            for _ in range(4):
                assert await relay.turn() == 1
                assert await relay.turn() == 0
                (entry,) = await outbox(resources)
                waits_s.append((entry.due_at - utc_now()).total_seconds())
                await let_pass(resources, timedelta(seconds=waits_s[-1] + 1))
            assert mailbox.sent == [order_id] * 4
            for number, wait_s in enumerate(waits_s):
                doubled = min(900.0, REDELIVER_S * 2**number)
                assert 0.75 * doubled < wait_s < 1.25 * doubled

    asyncio.run(scenario())


def test_a_lost_queue_is_filled_again_at_once(shop: Settings) -> None:
    async def scenario() -> None:
        async with opened(shop) as resources:
            ids = await place(resources, 3)
            mailbox = Mailbox()
            relay = make_relay(resources, mailbox)
            await relay.turn()
            mailbox.sent.clear()
            await relay.turn()
            assert mailbox.sent == []
            mailbox.lost = True
            await relay.turn()
            assert sorted(mailbox.sent) == sorted(ids)

    asyncio.run(scenario())


def test_an_absent_redis_leaves_the_entry_as_it_was(shop: Settings) -> None:
    async def scenario() -> None:
        async with opened(shop) as resources:
            await place(resources)
            client = connect(f"redis://127.0.0.1:{free_port()}/0")
            actor = make_actor(make_broker(client), lambda _: None)
            dispatcher = RedisDispatcher(client, actor)
            relay = make_relay(resources, dispatcher)
            with pytest.raises(DispatchUnavailableError):
                await relay.turn()
            with pytest.raises(DispatchUnavailableError):
                await dispatcher.publish([Due(1, uuid.uuid4(), 0)])
            (entry,) = await outbox(resources)
            assert entry.deliveries == 0
            assert entry.due_at <= utc_now()
            client.close()

    asyncio.run(scenario())


def test_a_queue_that_fails_midway_gets_the_entries_again(shop: Settings) -> None:
    class Breaking(Mailbox):
        async def publish(self, entries: Sequence[Due]) -> None:
            raise DispatchUnavailableError("gone")

    async def scenario() -> None:
        async with opened(shop) as resources:
            ids = await place(resources, 2)
            with pytest.raises(DispatchUnavailableError):
                await make_relay(resources, Breaking()).turn()
            assert [entry.deliveries for entry in await outbox(resources)] == [0, 0]
            await make_relay(resources).turn()
            assert OrderStatus.PENDING not in await statuses(resources, ids)

    asyncio.run(scenario())


def test_an_entry_published_too_often_is_set_aside_until_it_is_replayed(
    shop: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    def said() -> list[dict[str, object]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    async def scenario() -> None:
        async with opened(shop) as resources:
            dead, discarded = await place(resources, 2)
            async with resources.database.session() as session:
                await session.execute(update(OutboxEntry).values(deliveries=MAX_DELIVERIES, last_error="why"))
                await session.commit()
            mailbox = Mailbox()
            relay = make_relay(resources, mailbox)
            with capture_logs() as logs:
                await relay.turn()
                await relay.turn()
            assert [log["event"] for log in logs] == ["order_undecidable"] * 2
            assert mailbox.sent == []
            assert await statuses(resources, [dead, discarded]) == {OrderStatus.PENDING}
            async with resources.database.session() as session:
                pending = await OrderRepository(session).pending()
            # They wait for a person, so nobody else's order is refused for their age.
            assert (pending.count, pending.oldest_created_at, pending.dead) == (0, None, 2)

            await run_dead(shop, "list", None)
            listed = said()
            assert {line["order_id"] for line in listed} == {str(dead), str(discarded)}
            assert {line["last_error"] for line in listed} == {"why"}
            assert {line["deliveries"] for line in listed} == {MAX_DELIVERIES}
            await run_dead(shop, "discard", [discarded])
            await run_dead(shop, "replay", [uuid.uuid4()])
            await run_dead(shop, "replay", None)
            await run_dead(shop, "list", None)
            assert said() == [{"discarded": 1}, {"replayed": 0}, {"replayed": 1}]
            assert await statuses(resources, [discarded]) == {OrderStatus.REJECTED}
            await make_relay(resources).turn()
            assert OrderStatus.PENDING not in await statuses(resources, [dead])
            assert await outbox(resources) == []

    asyncio.run(scenario())


def test_a_failed_attempt_is_noted_and_tried_again_soon_and_ever_later(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with opened(shop) as resources:
            (order_id,) = await place(resources)

            async def fail(*_: object) -> None:
                raise RuntimeError("the model is gone" + "x" * 500)

            monkeypatch.setattr(resources.fraud, "assess", fail)
            waits: list[float] = []
            for number in range(1, 5):
                await make_due(resources)
                before = utc_now()
                await make_relay(resources).turn()
                (entry,) = await outbox(resources)
                assert entry.deliveries == number
                assert (entry.last_error or "").startswith("RuntimeError: the model is gone")
                waits.append((entry.due_at - before).total_seconds())
            for number, wait_s in enumerate(waits):
                # The upper bound has room for a slow machine: the next wait's own lower bound.
                assert 0.5 * 2**number <= wait_s < REDELIVER_S / 2
            assert await statuses(resources, [order_id]) == {OrderStatus.PENDING}
            monkeypatch.undo()
            await make_due(resources)
            await make_relay(resources).turn()
            assert OrderStatus.PENDING not in await statuses(resources, [order_id])

    asyncio.run(scenario())


async def make_due(resources: Resources) -> None:
    async with resources.database.session() as session:
        await session.execute(update(OutboxEntry).values(due_at=utc_now()))
        await session.commit()


def test_a_decision_is_made_once_however_often_it_is_asked_for(shop: Settings) -> None:
    async def scenario() -> None:
        async with opened(shop) as resources:
            (order_id,) = await place(resources)
            decisions = DecisionService(
                resources.database, resources.fraud, resources.metrics, resources.changes
            )
            results = await asyncio.gather(*(decisions.decide(order_id) for _ in range(5)))
            assert sorted(results) == [False, False, False, False, True]
            assert not await decisions.give_up(order_id)
            assert not await decisions.decide(uuid.uuid4())
            value = resources.metrics.registry.get_sample_value
            decided = [
                value("tidegate_orders_total", {"version": "v2", "status": status}) or 0
                for status in ("accepted", "rejected")
            ]
            assert sum(decided) == 1

    asyncio.run(scenario())


def test_the_loop_outlives_failures_and_ends_when_told(shop: Settings) -> None:
    class Moody(Mailbox):
        turns = 0

        def __init__(self) -> None:
            super().__init__()
            self.filled = asyncio.Event()

        async def publish(self, entries: Sequence[Due]) -> None:
            await super().publish(entries)
            self.filled.set()

        async def check(self) -> bool:
            Moody.turns += 1
            if Moody.turns == 1:
                raise DispatchUnavailableError("gone")
            return False

    async def scenario() -> None:
        async with opened(shop) as resources:
            (order_id,) = await place(resources)
            mailbox = Moody()
            stop = asyncio.Event()
            with capture_logs() as logs:
                running = asyncio.create_task(make_relay(resources, mailbox).run(stop))
                async with asyncio.timeout(30):
                    await mailbox.filled.wait()
                    stop.set()
                    await running
            assert mailbox.sent == [order_id]
            assert "relay_waits" in [log["event"] for log in logs]

    asyncio.run(scenario())
