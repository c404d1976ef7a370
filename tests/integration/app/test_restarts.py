"""Processes that restart one by one, behind a balancer that repeats nothing: no request fails."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Callable

import pytest
import uvloop
from support.balancer import Balancer, Pod
from support.dose import Dose
from support.load import Outcome, at_rate, closed_loop
from support.mix import shoppers
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

pytestmark = [pytest.mark.integration, pytest.mark.acceptance, pytest.mark.timeout(5400)]

StartService = Callable[..., ServiceProcess]

MEASURED_REQUESTS = 600
"""For the capacity, of which the load is half."""


class _Fleet:
    """The processes behind the balancer."""

    def __init__(self, balancer: Balancer, start: Callable[[], ServiceProcess], size: int) -> None:
        self._balancer = balancer
        self._start = start
        self._members: list[tuple[ServiceProcess, Pod]] = []
        self._size = size
        self.restarts = 0
        self.statuses: list[int] = []
        """With which the old processes ended."""

    async def begin(self) -> None:
        """Start them all."""
        for _ in range(self._size):
            await self._join()

    async def restart_one(self) -> None:
        """End the oldest as Kubernetes does, and start another in its place.

        The drain ends, by a second signal, when the balancer has heard of it, and not by the clock: how long
        that takes says something about the machine. On one that is not overrun it is far below the default.
        """
        process, pod = self._members.pop(0)
        process.signal(signal.SIGTERM)
        await pod.deserted.wait()
        process.signal(signal.SIGTERM)
        self.statuses.append(await asyncio.to_thread(process.wait))
        await self._join()
        self.restarts += 1

    async def _join(self) -> None:
        process = self._start()
        (await asyncio.to_thread(process.wait_ready)).close()
        self._members.append((process, self._balancer.add(process.event("serving")["port"])))


def test_no_request_fails_while_processes_restart_one_by_one(
    migrated_url: str,
    redis_server: RedisServer,
    start_service: StartService,
    dose: Dose,
    record: Callable[..., None],
) -> None:
    settings = {"DATABASE_URL": migrated_url, "REDIS_URL": redis_server.url, "DB_POOL_SIZE": "5"}
    settings |= {"LIMIT_READS": "1000000/hour", "LIMIT_WRITES": "1000000/hour", "DRAIN_S": "300"}
    settings |= {"FRAUD_WEIGHT": "0.0005", "QUEUE_AGE_LIMIT_S": "100000", "GRACEFUL_TIMEOUT_S": "600"}
    start_service("app.worker", **settings)

    async def run() -> tuple[Outcome, Outcome, _Fleet]:
        balancer = Balancer(probe_every_s=0.5)
        fleet = _Fleet(balancer, lambda: start_service("app", **settings), dose.restart_processes)
        await fleet.begin()
        make = shoppers()
        # Once to warm the processes, once to see what they can do here and now.
        for requests in (MEASURED_REQUESTS // 2, MEASURED_REQUESTS):
            capacity = await closed_loop(
                balancer, make, callers=16, until=lambda sent, most=requests: sent >= most
            )
        sent = 0
        rounds = itertools.count()

        def until(number: int) -> bool:
            nonlocal sent
            sent = number
            # The load lasts as long as the restarts, of which every process has one at least.
            return number >= dose.restart_requests and fleet.restarts >= dose.restart_processes

        load = asyncio.create_task(
            at_rate(balancer, make, per_s=capacity.total / capacity.lasted_s / 2, until=until)
        )
        while not load.done() and (next(rounds) < dose.restart_processes or sent < dose.restart_requests):
            await fleet.restart_one()
        outcome = await load
        await balancer.close()
        return capacity, outcome, fleet

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        capacity, outcome, fleet = runner.run(run())
    record(
        processes=dose.restart_processes,
        restarts=fleet.restarts,
        exit_statuses=sorted(set(fleet.statuses)),
        capacity_per_s=capacity.figures()["per_s"],
        load=outcome.figures(),
        failures=outcome.failures(),
    )
    assert capacity.failed() == {}
    assert outcome.failed() == {}
    assert outcome.total >= dose.restart_requests
    assert set(fleet.statuses) == {0}
