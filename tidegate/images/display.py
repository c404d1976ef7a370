"""Progress of a build: a live table on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tidegate.images.estimate import estimate_s
from tidegate.images.job import Job, Resource
from tidegate.images.schedule import State

_PLAIN_EVERY_S = 20.0
_DOUBT_S = 60.0
"""Weight of the catalogue's own figures against what was seen."""


class Display:
    """A watcher of jobs that tells a person what runs, what is done and how long it will take.

    Use as a context manager around `run_jobs`.

    Args:
        console: where to write, standard error as a rule.
        jobs: all jobs of the run.
        limits: how many of each kind run at once; for the estimate.
    """

    def __init__(self, console: Console, jobs: Sequence[Job], limits: Mapping[Resource, int]) -> None:
        self._console = console
        self._jobs = {job.id: job for job in jobs}
        self._limits = limits
        self._states: dict[str, State] = {job.id: "waiting" for job in jobs}
        self._details: dict[str, str] = {}
        self._began: dict[str, float] = {}
        self._ended: dict[str, float] = {}
        self._start_s = time.monotonic()
        self._said_s = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Display:
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=2)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def changed(self, job: Job, state: State) -> None:
        """Account for a job's new state."""
        self._states[job.id] = state
        now_s = time.monotonic()
        if state == "running":
            self._began[job.id] = now_s
            return
        self._ended[job.id] = now_s
        if self._live is None:
            took = f" in {now_s - self._began[job.id]:.0f} s" if job.id in self._began else ""
            self._console.print(
                f"  {job.title}: {state}{took} ({self.summary()})", highlight=False, soft_wrap=True
            )
            self._said_s = now_s

    def detail(self, job: Job, text: str) -> None:
        """Show more about a running job."""
        self._details[job.id] = text

    def tick(self) -> None:
        """Say what runs if nothing was said for a while; for output that is not a terminal."""
        now_s = time.monotonic()
        if self._live is None and now_s - self._said_s >= _PLAIN_EVERY_S:
            self._said_s = now_s
            running = ", ".join(
                f"{self._jobs[name].title} {now_s - self._began[name]:.0f} s" for name in self._running()
            )
            self._console.print(f"  {self.summary()}: {running}", highlight=False, soft_wrap=True)

    def summary(self) -> str:
        """`12 of 40, about 9 min left`."""
        ended = sum(state in ("done", "failed", "skipped") for state in self._states.values())
        return f"{ended} of {len(self._jobs)}, {_about(self.left_s())} left"

    def left_s(self) -> float:
        """Return the seconds left: what remains, played through at this machine's pace so far."""
        now_s = time.monotonic()
        paces = {kind: self._pace(kind) for kind in self._limits}
        left: list[Job] = []
        for name, state in self._states.items():
            if state in ("waiting", "running"):
                job = self._jobs[name]
                expected_s = job.seconds * paces[job.resource]
                spent_s = now_s - self._began[name] if state == "running" else 0.0
                # A job beyond its estimate is taken to need a little more, not to end at once.
                left.append(replace(job, seconds=max(expected_s - spent_s, expected_s * 0.1)))
        return estimate_s(left, self._limits)

    def _pace(self, kind: Resource) -> float:
        """Return how much slower than measured the jobs of a kind run here; a few seconds prove little."""
        done = [job for job in self._jobs.values() if job.resource == kind and self._states[job.id] == "done"]
        expected_s = sum(job.seconds for job in done)
        took_s = sum(self._ended[job.id] - self._began[job.id] for job in done)
        return (took_s + _DOUBT_S) / (expected_s + _DOUBT_S)

    def _running(self) -> list[str]:
        return [name for name, state in self._states.items() if state == "running"]

    def _render(self) -> RenderableType:
        now_s = time.monotonic()
        table = Table.grid(padding=(0, 2))
        for name in self._running():
            detail = self._details.get(name, "")
            table.add_row("  …", self._jobs[name].title, f"{now_s - self._began[name]:.0f} s", detail)
        elapsed = f"Building: {self.summary()}, {now_s - self._start_s:.0f} s so far"
        return Group(Text(elapsed, style="bold"), table)


def _about(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"about {seconds:.0f} s"
