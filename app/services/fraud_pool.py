"""Runs fraud checks beside the event loop, and refuses to let them pile up."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from app.core.exceptions import OverloadedError
from app.core.metrics import Metrics
from app.services.fraud import FraudAssessment, PlacedOrder, assess

SWITCH_INTERVAL_S = 0.001


class FraudPool:
    """One thread for all checks of a process.

    A pod has a fraction of a core, so a second worker would add no throughput: it would only make every
    check take twice as long, where a queue lets the first ones finish early. A process instead of the
    thread would need its own interpreter's memory and start-up for the same fraction of a core. What a
    thread costs is the interpreter lock: the loop gets it back only after a switch interval, several
    times a request, so that interval is cut from 5 ms to 1 ms when the pool starts.

    Args:
        weight: passed to `assess`.
        queue_limit: checks waiting or running at which further ones are refused.
    """

    def __init__(self, *, weight: float, queue_limit: int, metrics: Metrics) -> None:
        self._weight = weight
        self._queue_limit = queue_limit
        self._metrics = metrics
        self._waiting = 0
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fraud")
        sys.setswitchinterval(SWITCH_INTERVAL_S)

    async def assess(self, history: Sequence[PlacedOrder], order: PlacedOrder) -> FraudAssessment:
        """Judge the order; the loop stays free.

        Raises:
            OverloadedError: too many checks wait already.
        """
        if self._waiting >= self._queue_limit:
            raise OverloadedError("too many fraud checks are waiting", retry_after_s=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._executor, self._timed, history, order
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Drop what waits; the check that runs ends by itself."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _timed(self, history: Sequence[PlacedOrder], order: PlacedOrder) -> FraudAssessment:
        began_s = time.thread_time()
        try:
            return assess(history, order, self._weight)
        finally:
            self._metrics.fraud_cpu_s.observe(time.thread_time() - began_s)
