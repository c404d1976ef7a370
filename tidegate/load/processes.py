"""A load from several processes: which of them this one is, and what became of one that is gone."""

# Locust types its members only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import gevent
import psutil
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, MasterRunner, WorkerRunner

_CHECK_S = 0.5
_CONNECT_S = 0.5
"""Time between the word to start and the first arrival: long enough for it to reach every process."""
_log = logging.getLogger(__name__)


def is_master(environment: Environment) -> bool:
    """Return whether this process only directs others."""
    return isinstance(environment.runner, MasterRunner)


def is_worker(environment: Environment) -> bool:
    """Return whether another process directs this one."""
    return isinstance(environment.runner, WorkerRunner)


def process_index(environment: Environment) -> int:
    """Return which of the generating processes this is, from 0."""
    runner = environment.runner
    return max(0, runner.worker_index) if isinstance(runner, WorkerRunner) else 0


def process_count(environment: Environment) -> int:
    """Return how many processes generate the load."""
    if not (is_master(environment) or is_worker(environment)):
        return 1
    options = environment.parsed_options
    # With --processes the processes know it from the start, others when the master sends its options.
    return max(1, int(getattr(options, "processes", None) or getattr(options, "expect_workers", None) or 1))


def lead_s(environment: Environment) -> float:
    """Return how long after the word to start the load begins."""
    return _CONNECT_S if is_master(environment) else 0.1


def watch_processes(environment: Environment, lost: Callable[[int, int], None]) -> None:
    """Call `lost` with the processes left and those there had been, each time some are gone before the end.

    Locust finds out that a process is gone when it has not heard of it for a few seconds.
    """
    runner = environment.runner
    if not isinstance(runner, MasterRunner):
        return

    def watch() -> None:
        known = 0
        while True:
            gevent.sleep(_CHECK_S)
            if runner.state not in (STATE_RUNNING, STATE_SPAWNING):
                continue
            left = runner.worker_count
            if left < known:
                lost(left, known)
            known = left

    gevent.spawn(watch)


def wait_for_children(seconds: float) -> None:
    """Wait until the child processes have ended by themselves.

    Locust's master interrupts its processes three seconds after its own end. A request that is still under
    way then would be cut off.
    """
    ends_s = time.monotonic() + seconds
    while time.monotonic() < ends_s:
        if not any(_runs(child) for child in psutil.Process().children()):
            return
        gevent.sleep(0.1)
    _log.error("processes of the load did not end within %.0f s", seconds)


def _runs(child: Any) -> bool:
    try:
        # An ended child is left for Locust to collect, which wants its exit status.
        return bool(child.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
