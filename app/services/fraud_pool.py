"""Runs fraud checks beside the event loop, and refuses to let them pile up."""

from __future__ import annotations

import asyncio
import queue
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future

from app.core.exceptions import OverloadedError
from app.core.metrics import Metrics
from app.core.tracing import span
from app.services.fraud import FraudAssessment, PlacedOrder, assess

SWITCH_INTERVAL_S = 0.001

_Job = tuple[Future[FraudAssessment], Sequence[PlacedOrder], PlacedOrder]


class FraudPool:
    """One thread for all checks of a process.

    A pod has a fraction of a core, so a second thread would add no throughput: it would only make every
    check take twice as long, where a queue lets the first ones finish early. A process instead of the
    thread would need its own interpreter's memory and start-up for the same fraction of a core. What a
    thread costs is the interpreter lock: the loop gets it back only after a switch interval, several
    times a request, so that interval is cut from 5 ms to 1 ms.

    The thread is a daemon's and not an executor's, because the interpreter waits for an executor's
    threads at its end, however long a check takes, and the time to end is bounded.

    Args:
        weight: passed to `assess`.
        queue_limit: checks waiting or running at which further ones are refused.
    """

    def __init__(self, *, weight: float, queue_limit: int, metrics: Metrics) -> None:
        self._weight = weight
        self._queue_limit = queue_limit
        self._metrics = metrics
        self._waiting = 0
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def assess(self, history: Sequence[PlacedOrder], order: PlacedOrder) -> FraudAssessment:
        """Judge the order; the loop stays free.

        Raises:
            OverloadedError: too many checks wait already.
        """
        if self._waiting >= self._queue_limit:
            raise OverloadedError("too many fraud checks are waiting", retry_after_s=1)
        if self._thread is None:
            sys.setswitchinterval(SWITCH_INTERVAL_S)
            self._thread = threading.Thread(target=self._work, name="fraud", daemon=True)
            self._thread.start()
        future: Future[FraudAssessment] = Future()
        self._waiting += 1
        try:
            self._jobs.put((future, history, order))
            # A caller that gives up cancels the future, and the thread passes over it.
            with span("fraud check", attributes={"tidegate.history": len(history)}):
                return await asyncio.wrap_future(future)
        finally:
            self._waiting -= 1

    def close(self) -> None:
        """Let the thread end after what waits now; nobody waits for it."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, history, order = job
            if not future.set_running_or_notify_cancel():
                continue
            began_s = time.thread_time()
            try:
                future.set_result(assess(history, order, self._weight))
            except Exception as error:  # noqa: BLE001 - it is the caller's to handle
                future.set_exception(error)
            self._metrics.fraud_cpu_s.observe(time.thread_time() - began_s)
