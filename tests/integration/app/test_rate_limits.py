"""One budget over several processes, and what is left of it when Redis dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest
import uvloop
from support.balancer import Balancer, Call
from support.database import rows
from support.dose import Dose
from support.load import Outcome, closed_loop
from support.login import bearer
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1800)]

StartService = Callable[..., ServiceProcess]
OPERATOR = "an-operators-token-for-tests-only"
ORDER = Call("POST", "/api/v2/orders", bearer(1), b'{"lines": [{"product_id": 1, "quantity": 1}]}', "order")
PROCESSES = 4


def _storm(processes: list[ServiceProcess], *, seconds: float, requests: int, callers: int = 32) -> Outcome:
    """Writes of one account to all processes in turn: at least so many, for at least so long."""

    async def run() -> Outcome:
        balancer = Balancer()
        for process in processes:
            balancer.add(process.event("serving")["port"])
        ends_s = time.monotonic() + seconds
        try:
            return await closed_loop(
                balancer,
                lambda _: ORDER,
                callers=callers,
                until=lambda sent: sent >= requests and time.monotonic() > ends_s,
            )
        finally:
            await balancer.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def _granted(outcome: Outcome) -> int:
    """How many writes the limiter let pass.

    The limiter's own answers are 429. What passed is taken with 202; on a machine so slow that the database
    counts as absent it may end in that error, which is none of the limiter's.
    """
    results = outcome.statuses["order"]
    assert set(results) <= {"202", "429", "503 database-unavailable"}
    assert results["429"], "the storm was below the limit"
    return outcome.total - results["429"]


def _settings(url: str, redis: RedisServer, limit: int) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "REDIS_URL": redis.url,
        "DB_POOL_SIZE": "2",
        # An hour is longer than any run of this test: no budget comes back while it lasts.
        "LIMIT_WRITES": f"{limit}/hour",
        "LIMIT_SHARE": str(PROCESSES),
        "LIMIT_OPERATORS": "1000/hour",
        "OPERATOR_TOKEN": OPERATOR,
    }


@pytest.mark.acceptance
def test_four_processes_grant_one_budget_and_their_shares_without_redis(
    migrated_url: str,
    redis_server: RedisServer,
    start_service: StartService,
    dose: Dose,
    record: Callable[..., None],
) -> None:
    limit = dose.limit_writes
    settings = _settings(migrated_url, redis_server, limit)
    processes = [start_service("app", **settings) for _ in range(PROCESSES)]
    with ExitStack() as stack:
        pods = [stack.enter_context(process.wait_ready()) for process in processes]
        shared = _storm(processes, seconds=dose.limit_storm_s, requests=3 * limit)
        taken = rows(migrated_url, "SELECT count(*) FROM orders WHERE api_version = 'v2'")
        record(
            limit=limit,
            processes=PROCESSES,
            with_redis=shared.figures(),
            accepted_with_redis=shared.statuses["order"]["202"],
        )
        assert abs(_granted(shared) - limit) <= 1
        assert taken == [(shared.statuses["order"]["202"],)]
        refused = pods[0].post("/api/v2/orders", content=ORDER.body, headers=ORDER.headers)
        assert refused.headers["RateLimit-Policy"] == f'"writes";q={limit};w=3600'
        assert int(refused.headers["Retry-After"]) > 0

        redis_server.kill()
        alone = _storm(processes, seconds=dose.limit_storm_s, requests=3 * limit)
        record(without_redis=alone.figures(), accepted_without_redis=alone.statuses["order"]["202"])
        # Each of the four grants a quarter, once more: what had been spent was known to Redis alone.
        assert _granted(alone) == limit
        reads = [
            pod.get("/api/v2/products", headers=bearer(1)).status_code for pod in pods for _ in range(20)
        ]
        assert set(reads) == {200}
        operators = {"Authorization": f"Bearer {OPERATOR}"}
        closed = pods[0].patch("/api/v2/products/1", json={"price_cents": 1}, headers=operators)
        assert (closed.status_code, closed.headers["Retry-After"]) == (503, "5")


@pytest.mark.acceptance
def test_redis_killed_in_the_middle_of_a_storm_is_no_callers_error(
    migrated_url: str,
    redis_server: RedisServer,
    start_service: StartService,
    dose: Dose,
    record: Callable[..., None],
) -> None:
    limit = dose.limit_writes
    processes = [
        start_service("app", **_settings(migrated_url, redis_server, limit)) for _ in range(PROCESSES)
    ]
    for process in processes:
        process.wait_ready().close()

    async def run() -> Outcome:
        balancer = Balancer()
        for process in processes:
            balancer.add(process.event("serving")["port"])
        half, killed = asyncio.Event(), False
        ends_s = time.monotonic() + dose.limit_storm_s

        def until(number: int) -> bool:
            # In the middle of the budget, so that grants are being made as Redis dies.
            if number >= limit // 2:
                half.set()
            return killed and number >= 4 * limit and time.monotonic() > ends_s

        storm = asyncio.create_task(closed_loop(balancer, lambda _: ORDER, callers=32, until=until))
        await half.wait()
        await asyncio.to_thread(redis_server.kill)
        killed = True
        outcome = await storm
        await balancer.close()
        return outcome

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcome = runner.run(run())
    record(
        limit=limit,
        processes=PROCESSES,
        accepted=outcome.statuses["order"]["202"],
        storm=outcome.figures(),
    )
    # Up to the kill at most the budget, and after it the four shares to the last one.
    assert limit <= _granted(outcome) <= 2 * limit


def test_more_callers_than_connections_to_redis_are_counted_all_the_same(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    """Waiting for a connection is not Redis's absence, or a busy process would leave the common budget."""
    settings = _settings(migrated_url, redis_server, 100) | {"DB_POOL_SIZE": "5"}
    process = start_service("app", **settings)
    process.wait_ready().close()
    outcome = _storm([process], seconds=0, requests=400, callers=100)
    assert _granted(outcome) == 100
    assert not [line for line in process.lines if line.get("event") == "redis_away"]
