"""How the load generator itself fares. A generator short of CPU measures itself, not the service."""

from __future__ import annotations

import os
import re
import socket
import time
from collections.abc import Callable
from pathlib import Path

import gevent
from gevent.greenlet import Greenlet

from tidegate.load.clock import AnchoredClock
from tidegate.load.quota import cpu_quota
from tidegate.run import MetricRow, RunWriter, SegmentWriter, labels_text, metric_writer

SAMPLE_S = 0.5
LAG_NOTED_S = 0.1
"""Lag from which a note is left: latencies of that moment contain as much of the generator's own making."""
DRIFT_NOTED_S = 0.1


def writer_name() -> str:
    """Return the name under which this process writes: its own among the processes of all machines."""
    host = re.sub(r"[^A-Za-z0-9_.-]", "-", socket.gethostname())[:63]
    return f"load-{host}-{os.getpid()}"


class GeneratorHealth:
    """Samples the event loop's lag and the process's CPU into the Run's metrics, every half second.

    Series: `generator_lag_s`, how late the loop woke a sleeper; `generator_cpu_cores`, mean cores used
    since the last sample, and what `gauge` adds. One process drives one core at most. Where a control group
    bounds its CPU, as a container's limit does, `generator_cpu_share` tells how much of that is used.
    """

    def __init__(self, folder: Path, clock: AnchoredClock, notes: RunWriter) -> None:
        self._clock = clock
        self._notes = notes
        self._labels = labels_text({"pid": str(os.getpid()), "host": socket.gethostname()})
        self._rows: list[MetricRow] = []
        self._writer: SegmentWriter[MetricRow] = metric_writer(
            folder, writer_name(), max_rows=1_000_000, max_age_s=float("inf")
        )
        self._greenlet: Greenlet[..., None] | None = None
        self._gauges: dict[str, Callable[[], float]] = {}
        self._quota = cpu_quota()
        self._in_lag = False
        self._drift_noted_s = 0.0
        self.worst_lag_s = 0.0

    def gauge(self, name: str, read: Callable[[], float]) -> None:
        """Sample `read` as series `name`, too."""
        self._gauges[name] = read

    def start(self) -> None:
        """Begin to sample."""
        self._greenlet = gevent.spawn(self._sample_for_ever)

    def stop(self) -> None:
        """Take no more samples."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
            self._sample_gauges(time.monotonic())

    def write(self) -> None:
        """Write the samples taken so far; may be called from another thread than the sampler's."""
        rows, self._rows = self._rows, []
        self._writer.extend(rows)
        self._writer.flush()

    def close(self) -> None:
        """Write what is left and close."""
        self.write()
        self._writer.close()

    def _sample_for_ever(self) -> None:
        while True:
            slept_s, cpu_s = time.monotonic(), time.process_time()
            group_s = self._quota.used_s() if self._quota else 0.0
            gevent.sleep(SAMPLE_S)
            woke_s = time.monotonic()
            lag_s = max(0.0, woke_s - slept_s - SAMPLE_S)
            cores = (time.process_time() - cpu_s) / (woke_s - slept_s)
            self._add("generator_lag_s", woke_s, lag_s)
            self._add("generator_cpu_cores", woke_s, cores, window_s=woke_s - slept_s)
            if self._quota:
                share = (self._quota.used_s() - group_s) / (woke_s - slept_s) / self._quota.cores
                self._add("generator_cpu_share", woke_s, share, window_s=woke_s - slept_s)
            self._sample_gauges(woke_s)
            self._note(woke_s, lag_s, cores)

    def _sample_gauges(self, at_s: float) -> None:
        for name, read in self._gauges.items():
            self._add(name, at_s, float(read()))

    def _add(self, name: str, at_s: float, value: float, window_s: float | None = None) -> None:
        t_s = self._clock.unix_s(at_s)
        self._rows.append(MetricRow(t_s, t_s, name, self._labels, value, window_s))

    def _note(self, woke_s: float, lag_s: float, cores: float) -> None:
        """Leave a note when a spell of lag begins, and when the wall clock has stepped."""
        at_s = self._clock.unix_s(woke_s)
        self.worst_lag_s = max(self.worst_lag_s, lag_s)
        lagging = lag_s > LAG_NOTED_S
        if lagging and not self._in_lag:
            self._notes.note(
                "warning", f"load generator: its loop was {lag_s:.3f} s late at {cores:.2f} cores", t_s=at_s
            )
        self._in_lag = lagging
        drift_s = self._clock.drift_s()
        if abs(drift_s - self._drift_noted_s) > DRIFT_NOTED_S:
            self._drift_noted_s = drift_s
            self._notes.note(
                "warning", f"the wall clock stepped; request times are now {-drift_s:+.3f} s off it", t_s=at_s
            )
