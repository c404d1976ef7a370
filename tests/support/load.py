"""Load from one thread, at a rate or as fast as answers come; every request's outcome is counted."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from support.balancer import Balancer, BrokenAnswerError, Call, Reply

MOST_IN_FLIGHT = 128
"""Requests under way at once: when the machine stalls, callers wait instead of piling up."""


@dataclass
class Outcome:
    """What became of the requests."""

    statuses: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    """By route: how often each status, and each kind of failure to answer."""
    lasted_s: float = 0.0

    def note(self, route: str, result: str) -> None:
        """Count one."""
        self.statuses.setdefault(route, Counter())[result] += 1

    @property
    def total(self) -> int:
        """All requests."""
        return sum(sum(counter.values()) for counter in self.statuses.values())

    def failed(self) -> dict[str, dict[str, int]]:
        """By route, all that is not a status from 200 to 399; empty when nothing failed."""
        found = {
            route: {result: number for result, number in counter.items() if result[0] not in "23"}
            for route, counter in self.statuses.items()
        }
        return {route: results for route, results in found.items() if results}

    def failures(self) -> int:
        """How many failed."""
        return sum(sum(results.values()) for results in self.failed().values())

    def figures(self) -> dict[str, Any]:
        """For the record."""
        return {
            "requests": self.total,
            "lasted_s": round(self.lasted_s, 1),
            "per_s": round(self.total / self.lasted_s, 1) if self.lasted_s else None,
            "failed": self.failed(),
            "by_route": {route: dict(counter) for route, counter in sorted(self.statuses.items())},
        }


async def ask(
    balancer: Balancer, call: Call, outcome: Outcome, seen: Callable[[Call, Reply], None] | None = None
) -> None:
    """Send one request and count what becomes of it.

    Args:
        seen: is shown every answer.
    """
    try:
        reply = await balancer.send(call)
    except (OSError, BrokenAnswerError, TimeoutError) as error:
        outcome.note(call.route, f"{type(error).__name__}: {error}"[:80])
        return
    outcome.note(call.route, _result(reply))
    if seen is not None:
        seen(call, reply)


def _result(reply: Reply) -> str:
    """The status, and of a server's error what kind it is."""
    if reply.status < 500:
        return str(reply.status)
    try:
        return f"{reply.status} {json.loads(reply.body)['type'].rpartition(':')[2]}"
    except (ValueError, KeyError, TypeError):
        return str(reply.status)


async def closed_loop(
    balancer: Balancer,
    make: Callable[[int], Call],
    *,
    callers: int,
    until: Callable[[int], bool],
    seen: Callable[[Call, Reply], None] | None = None,
) -> Outcome:
    """Each caller sends its next request when it has the last answer.

    Args:
        make: the request of a number; numbers begin at 0.
        until: whether enough have been sent; asked with how many there were.
    """
    outcome, sent = Outcome(), 0
    began_s = time.monotonic()

    async def call() -> None:
        nonlocal sent
        while not until(sent):
            sent += 1
            await ask(balancer, make(sent - 1), outcome, seen)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(call())
    outcome.lasted_s = time.monotonic() - began_s
    return outcome


async def at_rate(
    balancer: Balancer,
    make: Callable[[int], Call],
    *,
    per_s: float,
    until: Callable[[int], bool],
    seen: Callable[[Call, Reply], None] | None = None,
) -> Outcome:
    """Send at a steady rate, whether answers come or not, with at most `MOST_IN_FLIGHT` under way.

    A stall is not made up for by a burst: what would have been sent meanwhile is sent later.
    """
    outcome, number = Outcome(), 0
    room = asyncio.Semaphore(MOST_IN_FLIGHT)
    began_s = due_s = time.monotonic()

    async def call(which: int) -> None:
        try:
            await ask(balancer, make(which), outcome, seen)
        finally:
            room.release()

    async with asyncio.TaskGroup() as tasks:
        while not until(number):
            await room.acquire()
            tasks.create_task(call(number))
            number += 1
            due_s = max(due_s + 1 / per_s, time.monotonic() - 0.1)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
    outcome.lasted_s = time.monotonic() - began_s
    return outcome
