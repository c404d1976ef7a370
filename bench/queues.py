"""Queues side by side on the same fraud job: throughput, latency, and what SIGKILL of workers costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import cast

import redis as redis_client

from bench import stores, tools
from bench.processes import Process
from bench.queue_jobs.job import DONE
from bench.raw import Raw, Sample, cell, table
from bench.spread import percentiles
from bench.suite import Context, interleaved
from tidegate.errors import TidegateError
from tidegate.host.paths import project_root

TITLE = "Queues side by side"
MINUTES = 6.5
QUEUES = ("dramatiq", "celery", "rq", "arq")
WEIGHT = 0.003
"""About 5 ms of CPU, small enough for the queue itself to show."""
BACKLOG, RATE, RATE_S = 300, 30.0, 4.0
KILLED_JOBS, KILLS, KILL_REPETITIONS = 240, 3, 2
PATIENCE_S = 25.0
"""After the last kill: a job that nobody has done by then counts as not handed over again."""


class _Bench:
    """One Redis, and the queue's worker and submitter as processes of their own."""

    def __init__(self, context: Context, url: str) -> None:
        self._context = context
        self._arq = tools.arq_python()
        self._client = redis_client.Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]
        self._environment = {
            **os.environ,
            "BENCH_REDIS_URL": url,
            "BENCH_WEIGHT": str(WEIGHT),
            "PYTHONPATH": str(project_root()),
        }
        self._started = 0

    def clear(self) -> None:
        """Forget everything, queues included."""
        self._client.flushall()  # pyright: ignore[reportUnknownMemberType] - untyped keywords

    def worker(self, queue: str) -> Process:
        """Start a worker on the core that is measured."""
        self._started += 1
        return Process(
            f"{queue}-{self._started}",
            [*self._python(queue), "worker"],
            cores=self._context.server_core,
            folder=self._context.folder,
            environment=self._environment,
        )

    def submit(self, queue: str, count: int, rate: float = 0.0, *, first: int = 1) -> dict[str, float]:
        """Submit jobs from the other core, numbered from `first`; when each was, by its id."""
        done = subprocess.run(
            [*self._python(queue), "submit", str(first), str(count), str(rate)],
            env=self._environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise TidegateError(f"{queue} took no jobs: {done.stderr.strip()[-300:]}")
        return dict(json.loads(done.stdout.splitlines()[-1]))

    def executions(self) -> list[tuple[str, float]]:
        """What has been done: ids and times, one item an execution, in the order of their ends."""
        items = cast("list[bytes]", self._client.lrange(DONE, 0, -1))
        return [(name, float(at)) for name, at in (item.decode().split() for item in items)]

    def done(self) -> int:
        """How many executions there were."""
        return self._client.llen(DONE)

    def _python(self, queue: str) -> list[str]:
        python: Path | str = self._arq if queue == "arq" else sys.executable
        return [str(python), "-m", f"bench.queue_jobs.{queue}_jobs"]


def measure(context: Context) -> Iterator[Sample]:
    """First throughput and latency of healthy workers, then kills."""
    with stores.redis(context.folder) as server:
        bench = _Bench(context, server.url)
        yield from interleaved(context, QUEUES, lambda queue: _healthy(context, bench, queue), "queue")
        for repetition in range(1, min(context.repetitions, KILL_REPETITIONS) + 1):
            for queue in QUEUES:
                sample = _killed(context, bench, queue)
                context.say(f"kills {repetition} {queue}: {sample}")
                yield {"variant": queue, "repetition": repetition, **sample}


def _healthy(context: Context, bench: _Bench, queue: str) -> Sample:
    backlog = round(context.dose(BACKLOG, 20))
    bench.clear()
    bench.submit(queue, backlog)
    with bench.worker(queue) as worker:
        worker.wait_for(lambda: _different(bench) >= backlog, f"{backlog} jobs done")
        executions = bench.executions()
        doubled = len(executions) - backlog
        times = sorted(at for _, at in executions)
        rate = (len(times) - 1) / (times[-1] - times[0])
        bench.clear()
        count = round(RATE * context.dose(RATE_S))
        # Numbers of their own: a job of the backlog done a second time may end only now.
        submitted = bench.submit(queue, count, RATE, first=backlog + 1)
        worker.wait_for(lambda: submitted.keys() <= _ends(bench).keys(), f"{count} jobs done")
        ends = _ends(bench)
        waits = [1000 * (ends[job] - at) for job, at in submitted.items()]
        doubled += len(bench.executions()) - count
    latencies = {f"{name}_ms": value for name, value in percentiles(waits).items()}
    return {"phase": "healthy", "jobs_per_s": rate, "doubled": doubled, **latencies}


def _killed(context: Context, bench: _Bench, queue: str) -> Sample:
    """SIGKILL the worker and its children in the midst of a job, several times; then let one finish."""
    count = round(context.dose(KILLED_JOBS, 24))
    bench.clear()
    bench.submit(queue, count)
    for _ in range(KILLS):
        worker = bench.worker(queue)
        aim = min(count, bench.done() + count // (KILLS + 1))
        try:
            # Not for ever: what the last kill took away may be all that was left.
            _wait(lambda aim=aim: bench.done() >= aim, PATIENCE_S)
        finally:
            worker.kill()
    ended_s = time.monotonic()
    with bench.worker(queue):
        _wait(lambda: _different(bench) >= count, PATIENCE_S)
        whole_s = time.monotonic() - ended_s
    times = Counter(job for job, _ in bench.executions())
    undone = count - len(times)
    return {
        "phase": "killed",
        "jobs": count,
        "kills": KILLS,
        "undone": undone,
        "doubled": sum(n > 1 for n in times.values()),
        "whole_after_s": None if undone else whole_s,
    }


def _different(bench: _Bench) -> int:
    return len({job for job, _ in bench.executions()})


def _ends(bench: _Bench) -> dict[str, float]:
    """When each job was done for the first time."""
    ends: dict[str, float] = {}
    for job, at in bench.executions():
        ends.setdefault(job, at)
    return ends


def _wait(true: Callable[[], bool], within_s: float) -> None:
    deadline_s = time.monotonic() + within_s
    while not true() and time.monotonic() < deadline_s:
        time.sleep(0.05)


def render(raw: Raw) -> str:
    """The section."""
    variants: Sequence[str] = raw.variants()
    healthy = [
        (
            name,
            cell(raw.spread("jobs_per_s", variant=name, phase="healthy"), 0),
            *(cell(raw.spread(f"{p}_ms", variant=name, phase="healthy")) for p in ("p50", "p95", "p99")),
            str(sum(run["doubled"] for run in raw.counted(variant=name, phase="healthy"))),
        )
        for name in variants
    ]
    killed: list[tuple[str, ...]] = []
    for name in variants:
        runs = raw.counted(variant=name, phase="killed")
        killed.append(
            (
                name,
                *(str(sum(run[key] for run in runs)) for key in ("jobs", "kills", "undone", "doubled")),
                cell(raw.spread("whole_after_s", variant=name, phase="killed"), 1),
            )
        )
    return "\n".join(
        [
            "One worker process with one job at a time on one core, Redis and the submitter on the other; "
            f"the job is the fraud check at weight {WEIGHT:g} (about 5 ms). Jobs/s over a backlog of "
            f"{BACKLOG}; latency from submission to the end at {RATE:g} jobs/s:\n",
            table(
                ("queue", "jobs/s", "p50 ms", "p95 ms", "p99 ms", "done twice, though nothing died"), healthy
            ),
            f"\nThe worker killed with SIGKILL {KILLS} times amid {KILLED_JOBS} jobs, then left alone. "
            f"Undone: not handed over again within {PATIENCE_S:g} s; doubled: done more than once. Each "
            "queue takes over after about 5 s where it can be told to (Celery, Dramatiq), arq after 15 s, RQ "
            "after 60 s, which cannot be shortened and so is seen here as undone:\n",
            table(("queue", "jobs", "kills", "undone", "doubled", "all done s after the last kill"), killed),
            "\nWith the service's outbox an undone job is published again and a doubled one decides nothing.",
        ]
    )
