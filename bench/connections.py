"""Open connections: 20,000 kept alive on one process, all served in turn, and what each takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any

from bench.fleet import SMALL, Fleet
from bench.goals import verdict
from bench.machine import raise_file_limit, resident_bytes
from bench.raw import Raw, Sample, cell, table
from bench.spread import figure
from bench.suite import Context, interleaved
from tidegate.errors import TidegateError
from tidegate.host.paths import project_root

TITLE = "Open connections"
MINUTES = 3
WANTED = 20_000
_SPARE_FILES = 100
"""What a process needs beside its connections: listener, loop, database, log."""


def reachable(wanted: int, file_limit: int) -> int:
    """How many connections a process may hold that may have so many files open."""
    return min(wanted, file_limit - _SPARE_FILES)


def measure(context: Context) -> Iterator[Sample]:
    """A fresh process each time, for memory that was once used is not given back."""
    limit = raise_file_limit()
    wanted = round(context.dose(WANTED, 500))
    count = reachable(wanted, limit)
    if count < wanted:
        context.note(
            f"{wanted:,} connections were asked for; a process may open {limit:,} files here, which cannot "
            f"be raised (that takes CAP_SYS_RESOURCE), so {count:,} were opened."
        )

    def run(_: str) -> Sample:
        with ExitStack() as running:
            settings = {"KEEP_ALIVE_S": "3600", "CACHE_CLIENT_S": "0"}
            process, port = Fleet(context, running).start("web", settings)
            return _crowd(context, process.pid, port, count)

    yield from interleaved(context, ["uvicorn"], run, "connections")


def _crowd(context: Context, server: int, port: int, count: int) -> Sample:
    before = resident_bytes(server)
    client = subprocess.Popen(
        [
            *("taskset", "-c", str(context.cores.generator)),
            *(sys.executable, "-m", "bench.connection_client", str(port), SMALL, str(count)),
        ],
        cwd=project_root(),
        env={**os.environ, "PYTHONPATH": str(project_root())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        opened = _told(client.stdout)
        held = resident_bytes(server)
        assert client.stdin is not None  # noqa: S101 - asked for above
        client.stdin.write("\n")
        client.stdin.flush()
        served = _told(client.stdout)
        busy = resident_bytes(server)
    finally:
        client.kill()
        client.wait()
    opened_count = max(1, int(opened["served"]))
    return {
        "asked": count,
        "opened": opened["served"],
        "open_errors": opened["errors"],
        "opening_s": opened["took_s"],
        "served": served["served"],
        "errors": served["errors"],
        "first_error": opened["first_error"] or served["first_error"],
        "serving_s": served["took_s"],
        "rps": served["served"] / served["took_s"],
        **{key: served[key] for key in ("p50_ms", "p95_ms", "p99_ms") if key in served},
        "kib_each": (held - before) / 1024 / opened_count,
        "kib_each_after": (busy - before) / 1024 / opened_count,
        "idle_mib": before / 2**20,
        "held_mib": held / 2**20,
    }


def _told(output: IO[str] | None) -> dict[str, Any]:
    line = output.readline() if output is not None else ""
    if not line:
        raise TidegateError("the client of the connections ended without a word")
    return json.loads(line)


def render(raw: Raw) -> str:
    """The section."""
    rows = [
        ("connections opened", cell(raw.spread("opened"), 0)),
        ("errors while opening", cell(raw.spread("open_errors"), 0)),
        ("served in turn", cell(raw.spread("served"), 0)),
        ("errors while serving", cell(raw.spread("errors"), 0)),
        ("KiB of the process each, opened and served once", cell(raw.spread("kib_each"), 1)),
        ("KiB each after all were served again", cell(raw.spread("kib_each_after"), 1)),
        ("MiB of the process before", cell(raw.spread("idle_mib"), 0)),
        ("MiB with all of them", cell(raw.spread("held_mib"), 0)),
        ("seconds to open and serve each once", cell(raw.spread("opening_s"), 1)),
        ("requests/s in turn, 64 under way", cell(raw.spread("rps"), 0)),
        ("p50 ms", cell(raw.spread("p50_ms"))),
        ("p99 ms", cell(raw.spread("p99_ms"))),
    ]
    served, failed = raw.spread("served"), raw.spread("errors")
    least = served.low if served else None
    goal = verdict(
        f"{WANTED:,} kept connections on one process, all served",
        least,
        least=WANTED,
    )
    errors = f"Errors in all repetitions: {figure(failed.high, 0) if failed else '-'} at most in one."
    return (
        "One Uvicorn process on one core; a client of this project's own on the other, its addresses spread "
        f"over 127.0.0.0/8.\n\n{table(('', ''), rows)}\n\n{errors} {goal}"
    )
