"""Where the observer's findings go."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

from tidegate.run import MetricRow, RunWriter, SegmentWriter, labels_text, metric_writer

FLUSH_S = 2.0
LAG_NOTED_S = 0.5


class MetricSink:
    """Takes samples, drops those it has seen, and writes them every `FLUSH_S` seconds.

    Writing syncs the disk, so it is done in a thread: it must not delay what the watches receive.

    Args:
        folder: the Run's folder.
    """

    def __init__(self, folder: Path) -> None:
        self._writer: SegmentWriter[MetricRow] = metric_writer(
            folder, f"observe-{os.getpid()}", max_rows=1_000_000, max_age_s=float("inf")
        )
        self._lock = threading.Lock()  # a writing that was cancelled goes on in its thread
        self._rows: list[MetricRow] = []
        self._last: dict[tuple[str, str], tuple[float, float]] = {}

    def add(
        self,
        name: str,
        labels: dict[str, str],
        t_s: float,
        value: float,
        window_s: float | None = None,
        *,
        revised: bool = False,
    ) -> bool:
        """Take a sample if it is later than the last of its series.

        Args:
            name: the series' name.
            labels: what tells it from others of the name.
            t_s: the sample's own time, unix seconds.
            value: the sample.
            window_s: seconds it is a mean over, None for none.
            revised: whether another value for the last time is new too. Not so for what is computed at the
                moment of asking.

        Returns:
            Whether it was taken.
        """
        text = labels_text(labels)
        last = self._last.get((name, text))
        if last is not None and (t_s < last[0] or (t_s == last[0] and (value == last[1] or not revised))):
            return False
        self._last[name, text] = (t_s, value)
        self._rows.append(MetricRow(t_s, time.time(), name, text, value, window_s))
        return True

    async def keep_writing(self, notes: RunWriter) -> None:
        """Write now and then, for ever; also record how late this loop itself runs (`observer_lag_s`)."""
        while True:
            began_s = time.monotonic()
            await asyncio.sleep(FLUSH_S)
            lag_s = max(0.0, time.monotonic() - began_s - FLUSH_S)
            self.add("observer_lag_s", {}, time.time(), lag_s)
            if lag_s > LAG_NOTED_S:
                notes.note(
                    "warning", f"observer: its loop was {lag_s:.2f} s late; times of receipt are as late"
                )
            rows, self._rows = self._rows, []
            await asyncio.to_thread(self._write, rows)

    def _write(self, rows: list[MetricRow]) -> None:
        with self._lock:
            for row in rows:
                self._writer.append(row)
            self._writer.flush()

    def close(self) -> None:
        """Write what is left and close."""
        self._write(self._rows)
        self._writer.close()
