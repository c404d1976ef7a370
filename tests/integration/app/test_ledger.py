"""Orders while workers are killed: none lost, none decided twice, by the database's own account."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvloop
from support.balancer import Balancer, Call, Reply
from support.children import wait_until
from support.database import rows
from support.dose import Dose
from support.load import Outcome, closed_loop
from support.login import bearer
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

pytestmark = [pytest.mark.integration, pytest.mark.acceptance, pytest.mark.timeout(5400)]

StartService = Callable[..., ServiceProcess]

SEED = 1
WORKERS = 2
ACCOUNTS = 50

# Every change of an order's status is written down by the database itself, whoever makes it.
LEDGER = (
    "CREATE TABLE ledger (order_id uuid, was text, became text)",
    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN INSERT INTO ledger VALUES (NEW.id, OLD.status, NEW.status); RETURN NEW; END $$",
    "CREATE TRIGGER note AFTER UPDATE OF status ON orders FOR EACH ROW EXECUTE FUNCTION note()",
)


def _place(port: int, enough: Callable[[int], bool]) -> tuple[dict[str, set[str]], Outcome]:
    """Place orders, each twice under one key, as a caller does that got no answer.

    Args:
        enough: whether so many orders are.

    Returns:
        The ids that each key was answered with, and what became of the requests.
    """
    draw = random.Random(SEED)
    tokens = [bearer(number) for number in range(1, ACCOUNTS + 1)]
    bodies = [
        json.dumps({"lines": [{"product_id": draw.randint(1, 200), "quantity": 1}]}).encode()
        for _ in range(100)
    ]
    ids: dict[str, set[str]] = {}

    def make(number: int) -> Call:
        which = number // 2
        headers = tokens[which % ACCOUNTS] | {"Idempotency-Key": f"order-{which}"}
        return Call("POST", "/api/v2/orders", headers, bodies[which % 100], "order")

    def seen(call: Call, reply: Reply) -> None:
        if reply.status == 202:
            ids.setdefault(call.headers["Idempotency-Key"], set()).add(json.loads(reply.body)["id"])

    async def run() -> Outcome:
        balancer = Balancer()
        balancer.add(port)
        try:
            return await closed_loop(
                balancer,
                make,
                callers=8,
                until=lambda sent: sent % 2 == 0 and enough(sent // 2),
                seen=seen,
            )
        finally:
            await balancer.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return ids, runner.run(run())


class _Killer:
    """Keeps workers at work, and kills one at random each time one has decided a few more orders."""

    def __init__(self, start: Callable[[], ServiceProcess], done: threading.Event) -> None:
        self._start = start
        self._done = done
        self.kills = 0

    def run(self) -> None:
        draw = random.Random(SEED)
        workers = [self._start() for _ in range(WORKERS)]
        while not self._done.is_set():
            victim = workers.pop(draw.randrange(len(workers)))
            self._let_work(victim, draw.randint(1, 60))
            # Anywhere within an order: each takes longer than this.
            self._done.wait(draw.uniform(0, 0.01))
            if self._done.is_set():
                return
            victim.signal(signal.SIGKILL)
            victim.wait()
            self.kills += 1
            workers.append(self._start())

    def _let_work(self, worker: ServiceProcess, orders: int) -> None:
        with worker.client() as metrics:
            wait_until(
                lambda: self._done.is_set() or _decided(metrics.get("/metrics").text) >= orders,
                what="work",
                within_s=3000,
            )


def _decided(exposition: str) -> float:
    lines = exposition.splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith("tidegate_orders_total{"))


def test_none_is_lost_and_none_decided_twice(
    migrated_url: str,
    redis_server: RedisServer,
    start_service: StartService,
    dose: Dose,
    record: Callable[..., None],
) -> None:
    rows(migrated_url, *LEDGER)
    settings = {"DATABASE_URL": migrated_url, "REDIS_URL": redis_server.url, "REDELIVER_AFTER_S": "2"}
    # No order is refused: it is all of them that are followed.
    settings |= {"LIMIT_WRITES": "1000000/hour", "QUEUE_AGE_LIMIT_S": "100000"}
    worker = settings | {"FRAUD_WEIGHT": "0.003", "WORKER_THREADS": "2"}
    web = start_service("app", **settings)
    web.wait_ready().close()
    done = threading.Event()
    killer = _Killer(lambda: start_service("app.worker", **worker), done)

    def pending() -> int:
        ((number,),) = rows(migrated_url, "SELECT count(*) FROM orders WHERE status = 'pending'")
        assert isinstance(number, int)
        return number

    with ThreadPoolExecutor(1) as threads:
        killing = threads.submit(killer.run)
        try:
            ids, outcome = _place(
                web.event("serving")["port"],
                # Fast workers on few orders would all be done before the killing has begun.
                lambda placed: placed >= dose.ledger_orders and killer.kills >= dose.ledger_kills,
            )
            # While there is work, workers go on being killed.
            wait_until(
                lambda: killing.done() or pending() == 0, what="every decision", within_s=3600, every_s=0.5
            )
        finally:
            done.set()
        killing.result()
    placed = [order_id for found in ids.values() for order_id in found]
    ledger = rows(migrated_url, "SELECT order_id::text, was, became FROM ledger")
    decided = [str(row[0]) for row in ledger]
    ((outbox,),) = rows(migrated_url, "SELECT count(*) FROM outbox")
    record(
        orders=len(placed),
        requests=outcome.figures(),
        workers=WORKERS,
        workers_killed=killer.kills,
        seed=SEED,
        lost=len(set(placed) - set(decided)),
        decided_twice=len(decided) - len(set(decided)),
        left_in_outbox=outbox,
    )
    assert set(outcome.statuses["order"]) == {"202"}
    assert len(ids) == len(placed) >= dose.ledger_orders
    assert sorted(decided) == sorted(placed)
    assert {row[1] for row in ledger} == {"pending"}
    assert {row[2] for row in ledger} <= {"accepted", "rejected"}
    assert outbox == 0
    assert killer.kills >= dose.ledger_kills
