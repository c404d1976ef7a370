"""The job itself, and how its end is told: alike for every queue."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from functools import cache

import redis

from app.services.fraud import HISTORY_LIMIT, PlacedOrder, assess, product_bits

DONE = "bench:done"
"""A list in Redis: one item an execution, so that a job done twice is there twice."""

_BEGAN_S = 1_700_000_000.0
_HISTORY = [
    PlacedOrder(_BEGAN_S + 3_600.0 * number, 1_000 + 37 * number, product_bits([number % 40, number % 7]))
    for number in range(HISTORY_LIMIT)
]


def redis_url() -> str:
    """Where the queue lives."""
    return os.environ["BENCH_REDIS_URL"]


def redis_address() -> tuple[str, int]:
    """The same as host and port."""
    host, port = redis_url().removeprefix("redis://").partition("/")[0].split(":")
    return host, int(port)


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(redis_url())  # pyright: ignore[reportUnknownMemberType] - untyped keywords


def decide(job_id: str) -> None:
    """Do the work, then tell its end by the clock that all processes share."""
    order = PlacedOrder(_BEGAN_S + 400_000.0, 2_000 + int(job_id), product_bits([int(job_id)]))
    assess(_HISTORY, order, float(os.environ["BENCH_WEIGHT"]))
    _client().rpush(DONE, f"{job_id} {time.monotonic()}")


def submit_all(submit: Callable[[str], object], first: int, count: int, rate: float) -> None:
    """Submit jobs and print when each was, as JSON; a rate of 0 submits as fast as the queue takes them."""
    began_s = time.monotonic()
    submitted: list[tuple[str, float]] = []
    for number in range(count):
        if rate:
            time.sleep(max(0.0, began_s + number / rate - time.monotonic()))
        job_id = str(first + number)
        submitted.append((job_id, time.monotonic()))
        submit(job_id)
    print(json.dumps(submitted))


def run(work: Callable[[], object], submit: Callable[[str], object]) -> None:
    """The command line of every module: `worker`, or `submit FIRST COUNT RATE`."""
    if sys.argv[1] == "worker":
        work()
        return
    _, _, first, count, rate = sys.argv
    submit_all(submit, int(first), int(count), float(rate))
