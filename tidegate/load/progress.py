"""What the load is doing, read from what has been recorded so far."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from tidegate.run.format import NOBODY, REQUESTS_DIR, SEGMENT_SUFFIX

_RECENT_S = 5.0


@dataclass
class Tally:
    """Figures of the load so far. What is shown is what is on disk, so it trails by about two seconds."""

    requests: int = 0
    failures: int = 0
    recent_rps: float = 0.0
    """Requests ended a second, over the last seconds recorded."""
    recent_users: int = 0
    """Users that ended a request in the last seconds recorded; none in an open loop."""
    first_intended_s: float | None = None
    """Earliest intended start, unix seconds; None before the first request is recorded."""
    last_end_s: float | None = None
    """Latest end, unix seconds; None before the first request is recorded."""

    @property
    def window_s(self) -> tuple[float, float] | None:
        """First intended start and last end, unix seconds; None when nothing was recorded."""
        if self.first_intended_s is None or self.last_end_s is None:
            return None
        return self.first_intended_s, self.last_end_s


class RequestTail:
    """Reads each segment of one writer once, as it appears.

    Args:
        run_dir: the Run's folder.
        ignore: names of segments that were there before this load.
    """

    def __init__(self, run_dir: Path, ignore: frozenset[str] = frozenset()) -> None:
        self._folder = run_dir / REQUESTS_DIR
        self._seen = set(ignore)
        self._recent = pl.DataFrame(schema={"end_s": pl.Float64(), "user": pl.Int32()})
        self.tally = Tally()

    @staticmethod
    def present(run_dir: Path) -> frozenset[str]:
        """Return the names of the segments there are now."""
        return frozenset(path.name for path in (run_dir / REQUESTS_DIR).glob(f"*{SEGMENT_SUFFIX}"))

    def read(self) -> Tally:
        """Take in the segments that are new, and return the figures."""
        for path in sorted(self._folder.glob(f"*{SEGMENT_SUFFIX}")):
            if path.name in self._seen:
                continue
            self._seen.add(path.name)
            try:
                self._take(pl.read_parquet(path, memory_map=False, glob=False))
            except (OSError, PolarsError):
                continue  # the reader of the finished Run says what is wrong with it; this is only a display
        return self.tally

    def _take(self, rows: pl.DataFrame) -> None:
        if rows.is_empty():
            return
        tally = self.tally
        tally.requests += rows.height
        tally.failures += rows.filter(~pl.col("ok")).height
        starts: list[float] = rows.get_column("intended_start_s").to_list()
        ends: list[float] = rows.get_column("end_s").to_list()
        intended_s, end_s = min(starts), max(ends)
        tally.first_intended_s = min(tally.first_intended_s or intended_s, intended_s)
        tally.last_end_s = max(tally.last_end_s or end_s, end_s)
        self._recent = pl.concat([self._recent, rows.select("end_s", "user")]).filter(
            pl.col("end_s") > tally.last_end_s - _RECENT_S
        )
        users = self._recent.get_column("user")
        tally.recent_users = users.filter(users != NOBODY).n_unique()
        tally.recent_rps = self._recent.height / min(
            _RECENT_S, max(1.0, tally.last_end_s - tally.first_intended_s)
        )


class LoadDisplay:
    """One line on the console: time left, users, rate, failures.

    Args:
        console: where to draw, standard error as a rule; None draws nothing.
        title: name of the scenario.
        duration_s: how long the load is planned to last; None when that is unknown.
    """

    def __init__(self, console: Console | None, title: str, duration_s: float | None) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.description}"),
            BarColumn(bar_width=24),
            TimeRemainingColumn(),
            TextColumn("{task.fields[figures]}"),
            console=console,
            disable=console is None,
            transient=False,
        )
        self._task = self._progress.add_task(title, total=duration_s, figures="starting")
        self._began_s = time.monotonic()

    def __enter__(self) -> LoadDisplay:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, tally: Tally) -> None:
        """Draw the figures."""
        who = f"{tally.recent_users} users" if tally.recent_users else "arrivals"
        figures = f"{who}  {tally.recent_rps:.1f} rps  {tally.requests} requests  {tally.failures} failed"
        self._progress.update(self._task, completed=time.monotonic() - self._began_s, figures=figures)

    def say(self, text: str) -> None:
        """Show `text` in place of the figures."""
        self._progress.update(self._task, figures=text)
