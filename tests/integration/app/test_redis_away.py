"""Redis goes under load, in the two ways it can: its calls are refused, or nobody answers them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable

import pytest
import uvloop
from support.balancer import Balancer, Call, Reply
from support.children import wait_until
from support.database import rows
from support.dose import Dose
from support.load import Outcome, at_rate
from support.mix import shoppers
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

pytestmark = [pytest.mark.integration, pytest.mark.acceptance, pytest.mark.timeout(3600)]

StartService = Callable[..., ServiceProcess]

PROCESSES = 2
LEAST = 40
"""Requests in each phase, however slow the machine: each route and each process has some."""
NEEDED = 0.999
"""Of the requests that are made while Redis is away, so many succeed."""


@pytest.mark.parametrize("way", ["killed", "hung"])
def test_what_can_live_without_redis_does(
    way: str,
    migrated_url: str,
    redis_server: RedisServer,
    start_service: StartService,
    dose: Dose,
    record: Callable[..., None],
) -> None:
    settings = {"DATABASE_URL": migrated_url, "REDIS_URL": redis_server.url, "REDELIVER_AFTER_S": "2"}
    # Each process's share is enough for what it is sent, for what is asked is not whether limits hold.
    settings |= {"LIMIT_READS": "1000000/hour", "LIMIT_WRITES": "1000000/hour"}
    # As by default: so long the process waits for a Redis that hangs.
    settings["REDIS_TIMEOUT_S"] = "1"
    worker = start_service("app.worker", **settings)
    processes = [start_service("app", **settings) for _ in range(PROCESSES)]
    for process in processes:
        process.wait_ready().close()
    worker.event("serving")
    pending: set[str] = set()

    def seen(call: Call, reply: Reply) -> None:
        if reply.status == 202:
            pending.add(json.loads(reply.body)["id"])

    async def run() -> dict[str, Outcome]:
        balancer = Balancer()
        for process in processes:
            balancer.add(process.event("serving")["port"])
        make = shoppers()

        async def load(seconds: float) -> Outcome:
            ends_s = time.monotonic() + seconds
            return await at_rate(
                balancer,
                make,
                per_s=dose.redis_away_per_s,
                until=lambda sent: sent >= LEAST and time.monotonic() > ends_s,
                seen=seen,
            )

        outcomes = {"before": await load(dose.redis_away_s / 6)}
        away = asyncio.create_task(load(dose.redis_away_s))
        # It goes while requests are under way, and comes back while they are.
        await asyncio.sleep(0.1)
        await asyncio.to_thread(redis_server.kill if way == "killed" else redis_server.hang)
        outcomes["away"] = await away
        back = asyncio.create_task(load(dose.redis_away_s / 6))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(redis_server.start if way == "killed" else redis_server.wake)
        outcomes["back"] = await back
        await balancer.close()
        return outcomes

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        outcomes = runner.run(run())
    success = {name: 1 - outcome.failures() / outcome.total for name, outcome in outcomes.items()}
    record(
        redis=way,
        success=success,
        noticed=sum(line.get("event") == "redis_away" for process in processes for line in process.lines),
        **{name: outcome.figures() for name, outcome in outcomes.items()},
    )
    assert {route for outcome in outcomes.values() for route in outcome.statuses} == {
        *("v1 product", "v2 products", "v2 orders", "v1 order", "v2 order")
    }
    assert outcomes["before"].failed() == {}
    assert success["away"] >= NEEDED, outcomes["away"].failed()
    assert success["back"] >= NEEDED, outcomes["back"].failed()
    for process in processes:
        assert process.event("redis_away")

    def undecided() -> list[tuple[object, ...]]:
        return rows(migrated_url, "SELECT count(*) FROM orders WHERE status = 'pending'")

    wait_until(lambda: undecided() == [(0,)], what="a decision on what was taken meanwhile", every_s=0.3)
    found = {
        str(row[0]) for row in rows(migrated_url, "SELECT id::text FROM orders WHERE api_version = 'v2'")
    }
    assert pending <= found
