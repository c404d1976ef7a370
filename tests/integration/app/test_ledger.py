"""Orders while workers are killed: none lost, none decided twice, by the database's own account."""

from __future__ import annotations

import asyncio
import concurrent.futures
import random
import signal
import threading
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import text
from support.children import wait_until
from support.login import bearer
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

from app.db.engine import make_engine

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]

ORDERS = 300
KILLS = 6

# Every change of an order's status is written down by the database itself, whoever makes it.
LEDGER = (
    "CREATE TABLE ledger (order_id uuid, was text, became text)",
    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO ledger VALUES (NEW.id, OLD.status, NEW.status); RETURN NEW; END $$",
    "CREATE TRIGGER note AFTER UPDATE OF status ON orders FOR EACH ROW EXECUTE FUNCTION note()",
)


def _query(url: str, *statements: str) -> list[tuple[object, ...]]:
    async def run() -> list[tuple[object, ...]]:
        engine = make_engine(url, pool_size=1, application="test")
        try:
            async with engine.begin() as connection:
                result = None
                for statement in statements:
                    result = await connection.execute(text(statement))
                return [tuple(row) for row in result] if result is not None and result.returns_rows else []
        finally:
            await engine.dispose()

    return asyncio.run(run())


def test_none_is_lost_and_none_decided_twice(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    _query(migrated_url, *LEDGER)
    settings = {"DATABASE_URL": migrated_url, "REDIS_URL": redis_server.url, "REDELIVER_AFTER_S": "1"}
    # Long enough that a kill mostly meets an order in hand.
    worker = {"FRAUD_WEIGHT": "0.004", "WORKER_THREADS": "2"}
    draw = random.Random(1)
    with start_service("app", **settings).wait_ready() as web:
        base_url, keys = web.base_url, [f"order-{number}" for number in range(ORDERS)]
        placed = threading.Event()

        def place(key: str) -> str:
            body = {"lines": [{"product_id": draw.randint(1, 200), "quantity": 1}]}
            headers = bearer(1 + int(key[6:]) % 50) | {"Idempotency-Key": key}
            with httpx.Client(base_url=base_url, timeout=60, headers=headers) as client:
                # Twice each, as a caller does that got no answer: the key makes it one order.
                answers = [client.post("/api/v2/orders", json=body) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [202, 202]
            (order_id,) = {answer.json()["id"] for answer in answers}
            return order_id

        def kill_workers() -> None:
            for _ in range(KILLS):
                doomed = start_service("app.worker", **settings, **worker)
                with doomed.client() as metrics:
                    wait_until(lambda: "tidegate_orders_total{" in metrics.get("/metrics").text, what="work")
                doomed.signal(signal.SIGKILL)
                doomed.wait()
                if placed.is_set():
                    break

        with concurrent.futures.ThreadPoolExecutor(5) as threads:
            killing = threads.submit(kill_workers)
            ids = set(threads.map(place, keys))
            placed.set()
            killing.result()
    assert len(ids) == ORDERS
    start_service("app.worker", **settings, FRAUD_WEIGHT="0.0005")
    wait_until(
        lambda: _query(migrated_url, "SELECT count(*) FROM orders WHERE status = 'pending'") == [(0,)],
        what="every decision",
        within_s=120,
    )
    ledger = _query(migrated_url, "SELECT order_id::text, was, became FROM ledger")
    assert sorted(str(row[0]) for row in ledger) == sorted(ids)
    assert {row[1] for row in ledger} == {"pending"}
    assert {row[2] for row in ledger} <= {"accepted", "rejected"}
    assert _query(migrated_url, "SELECT count(*) FROM outbox") == [(0,)]
