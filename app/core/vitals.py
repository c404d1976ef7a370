"""How the process itself fares: the loop's lag, the collector's pauses, connections in use."""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from typing import Any

from app.core.metrics import Metrics
from app.db.engine import Database

INTERVAL_S = 0.5


class Vitals:
    """Measures until cancelled."""

    def __init__(self, metrics: Metrics, database: Database) -> None:
        self._metrics = metrics
        self._database = database
        self._gc_began_s = 0.0
        self._cpu_s = 0.0

    async def run(self) -> None:
        """Look every half second. What a sleeper oversleeps is what every request waits for its turn."""
        gc.callbacks.append(self._on_gc)
        self._metrics.db_pool_size.set(self._database.pool_size)
        self._database.on_wait(self._metrics.db_wait_s.observe)
        try:
            while True:
                slept_s = time.perf_counter()
                await asyncio.sleep(INTERVAL_S)
                self._metrics.loop_lag_s.observe(max(0.0, time.perf_counter() - slept_s - INTERVAL_S))
                self._metrics.db_connections.set(self._database.in_use)
                if self._metrics.multiprocess:
                    self._account()
        finally:
            gc.callbacks.remove(self._on_gc)

    def _on_gc(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._gc_began_s = time.perf_counter()
        else:
            pause_s = time.perf_counter() - self._gc_began_s
            self._metrics.gc_pause_s.labels(str(info["generation"])).inc(pause_s)

    def _account(self) -> None:
        """Several processes behind one scrape cannot each be read off /proc: each keeps account of itself."""
        cpu_s = time.process_time()
        self._metrics.cpu_s.inc(cpu_s - self._cpu_s)
        self._cpu_s = cpu_s
        # The peak, in KiB: what the memory limit is for.
        self._metrics.memory_bytes.set(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
