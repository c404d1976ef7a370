"""What the middleware costs: the same JSON route bare and behind the whole stack, in the same run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack

from bench.goals import verdict
from bench.processes import Process, free_port, service_environment
from bench.raw import Raw, Sample, cell, table
from bench.served import PATH
from bench.spread import Spread
from bench.stores import migrate
from bench.suite import Context, interleaved
from tidegate.host.paths import project_root

TITLE = "Cost of the stack"
MINUTES = 1.3
CONNECTIONS = 16
GOAL_RATIO = 0.75
REAL_PATH = "/api/v2/products/1"


def measure(context: Context) -> Iterator[Sample]:
    """Closed loop on one core, variants in turn."""
    database = f"sqlite+aiosqlite:///{context.folder}/shop.db"
    migrate(database)
    settings = {"DATABASE_URL": database, "RATE_LIMITS": "false"}
    with ExitStack() as running:
        urls: dict[str, str] = {}
        processes: dict[str, Process] = {}
        for variant in ("bare", "full"):
            port = free_port()
            urls[variant] = f"http://127.0.0.1:{port}{PATH}"
            process = Process(
                variant,
                [sys.executable, "-m", "bench.served", variant, str(port)],
                cores=context.server_core,
                folder=context.folder,
                environment=service_environment(settings) | {"PYTHONPATH": str(project_root())},
            )
            running.enter_context(process).wait_http(urls[variant])
            processes[variant] = process
        urls["product"] = urls["full"].replace(PATH, REAL_PATH)
        processes["product"] = processes["full"]
        for url in urls.values():
            context.generators.closed(url, connections=CONNECTIONS, duration_s=1)

        def run(variant: str) -> Sample:
            began_s = processes[variant].cpu_s()
            measured = context.generators.closed(
                urls[variant], connections=CONNECTIONS, duration_s=context.dose(4)
            )
            spent_s = processes[variant].cpu_s() - began_s
            return measured.sample() | {"cpu_us": 1e6 * spent_s / max(1, measured.requests)}

        yield from interleaved(context, list(urls), run, "stack")


_NAMES = {
    "bare": "bare FastAPI",
    "full": "the same route behind the whole stack",
    "product": f"`{REAL_PATH}` behind the stack, answered from the response cache",
}


def render(raw: Raw) -> str:
    """The section."""
    rows = [
        (
            _NAMES[variant],
            cell(raw.spread("rps", variant=variant), 0),
            cell(raw.spread("cpu_us", variant=variant), 0),
            cell(raw.spread("p50_ms", variant=variant)),
            cell(raw.spread("p99_ms", variant=variant)),
            cell(raw.spread("generator_share", variant=variant), 2),
        )
        for variant in raw.variants()
    ]
    ratio = Spread.of(raw.ratios("rps", "full", "bare"))
    goal = f"full stack at least {GOAL_RATIO:.0%} of bare FastAPI's requests a second"
    return (
        f"One process on one core, {CONNECTIONS} connections kept busy (wrk), no rate limits, no "
        "Redis.\n\n"
        + table(("variant", "requests/s", "CPU µs a request", "p50 ms", "p99 ms", "generator's core"), rows)
        + f"\n\nRatio within each repetition: {cell(ratio, 2)}. "
        + verdict(goal, ratio.median if ratio else None, least=GOAL_RATIO)
    )
