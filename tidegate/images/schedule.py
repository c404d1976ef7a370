"""Run jobs side by side, each as soon as what it needs is there.

Among jobs that are ready, the one with the most work behind it goes first, so that the longest chain
decides the time and not the order of entries.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tidegate.errors import TidegateError
from tidegate.images.job import Job, JobContext, Resource, log_path

State = Literal["waiting", "running", "done", "failed", "skipped"]

_GO_MEMORY_BYTES = 5_000_000_000
"""What compiling and linking the larger Go programs takes at its height, one build."""


class Watcher(Protocol):
    """Sees what happens to jobs; all calls come from the event loop's thread."""

    def changed(self, job: Job, state: State) -> None:
        """A job entered a state."""

    def detail(self, job: Job, text: str) -> None:
        """A running job tells more."""


@dataclass
class Outcome:
    """How a set of jobs ended."""

    states: dict[str, State] = field(default_factory=dict[str, State])
    errors: dict[str, TidegateError] = field(default_factory=dict[str, TidegateError])


def slots(cores: int | None = None, memory_bytes: int | None = None) -> dict[Resource, int]:
    """Return how many jobs of each kind run at once on this machine.

    One Go build fills about two cores by itself, and needs memory for its linkers.

    Args:
        cores: usable cores; this machine's by default.
        memory_bytes: memory; this machine's by default.
    """
    usable = cores if cores is not None else len(os.sched_getaffinity(0))
    memory = memory_bytes
    if memory is None:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": max(1, min(usable // 2, memory // _GO_MEMORY_BYTES)),
        "net": 2,
        "engine": max(1, min(usable // 2, 3)),
    }


def order(jobs: Sequence[Job]) -> dict[str, float]:
    """Return each job's seconds of work from its start to the end of the longest chain behind it.

    Raises:
        ValueError: the jobs need one another in a circle, or a job that is not among them.
    """
    by_id = {job.id: job for job in jobs}
    behind: dict[str, list[str]] = {job.id: [] for job in jobs}
    for job in jobs:
        for need in job.needs:
            if need not in by_id:
                raise ValueError(f"{job.id} needs {need}, which is not planned")
            behind[need].append(job.id)
    weights: dict[str, float] = {}

    def weigh(name: str, above: tuple[str, ...]) -> float:
        if name in above:
            raise ValueError(f"jobs need one another in a circle: {' -> '.join((*above, name))}")
        if name not in weights:
            longest = max((weigh(other, (*above, name)) for other in behind[name]), default=0.0)
            weights[name] = by_id[name].seconds + longest
        return weights[name]

    for job in jobs:
        weigh(job.id, ())
    return weights


class _Run:
    def __init__(self, jobs: Sequence[Job], limits: Mapping[Resource, int], watcher: Watcher) -> None:
        self._jobs = {job.id: job for job in jobs}
        self._weights = order(jobs)
        self._free = dict(limits)
        self._watcher = watcher
        self._tasks: dict[asyncio.Task[None], Job] = {}
        self.outcome = Outcome({job.id: "waiting" for job in jobs})

    async def run(self) -> Outcome:
        try:
            while True:
                self._start_ready()
                if not self._tasks:
                    return self.outcome
                ended, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in ended:
                    self._settle(task)
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start_ready(self) -> None:
        waiting = [job for job in self._jobs.values() if self.outcome.states[job.id] == "waiting"]
        for job in sorted(waiting, key=lambda job: (-self._weights[job.id], job.id)):
            needs = {self.outcome.states[need] for need in job.needs}
            if needs <= {"done"} and self._free[job.resource] > 0:
                self._free[job.resource] -= 1
                self._set(job, "running")
                self._tasks[asyncio.create_task(self._act(job))] = job

    async def _act(self, job: Job) -> None:
        log = log_path(job.id)
        log.write_text("")
        await job.action(JobContext(log, lambda text: self._watcher.detail(job, text)))

    def _settle(self, task: asyncio.Task[None]) -> None:
        job = self._tasks.pop(task)
        self._free[job.resource] += 1
        error = task.exception()
        if error is None:
            self._set(job, "done")
        elif isinstance(error, TidegateError):
            self.outcome.errors[job.id] = error
            self._set(job, "failed")
            self._skip_behind(job.id)
        else:
            raise error

    def _skip_behind(self, failed: str) -> None:
        for job in self._jobs.values():
            if failed in job.needs and self.outcome.states[job.id] == "waiting":
                self._set(job, "skipped")
                self._skip_behind(job.id)

    def _set(self, job: Job, state: State) -> None:
        self.outcome.states[job.id] = state
        self._watcher.changed(job, state)


async def run_jobs(jobs: Sequence[Job], limits: Mapping[Resource, int], watcher: Watcher) -> Outcome:
    """Run all jobs; one that fails stops only those that need it.

    Being cancelled (Ctrl-C) cancels the jobs, which end their programs, and waits for that.

    Args:
        jobs: what to do; their needs must be among them.
        limits: how many of each kind run at once.
        watcher: is told of every change.
    """
    return await _Run(jobs, limits, watcher).run()
