"""Start: from a process's begin until it is ready, in CPU and wall seconds; this is what bounds a scale-up.

Pods that start together share the node's cores, so the CPU counts, not the wall.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from time import monotonic

import httpx

from bench import stores, tools
from bench.goals import verdict
from bench.processes import free_port, service
from bench.raw import Raw, Sample, cell, table
from bench.suite import Context, interleaved

TITLE = "Start"
MINUTES = 0.5
GOAL_CPU_S = 0.6
_VARIANTS: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "web": ("app", "PORT", "/readyz", {}),
    "web, gunicorn 2 workers": ("app", "PORT", "/readyz", {"SERVER": "gunicorn", "SERVER_WORKERS": "2"}),
    "web, hypercorn": ("app", "PORT", "/readyz", {"SERVER": "hypercorn"}),
    "worker": ("app.worker", "WORKER_METRICS_PORT", "/healthz", {}),
}


def measure(context: Context) -> Iterator[Sample]:
    """Each variant once unmeasured, for the first one reads the disk, then in turn."""
    with stores.redis(context.folder) as redis, stores.postgres() as postgres:
        database = postgres.new_database()
        stores.migrate(database)
        python = tools.service_python()
        settings = {"DATABASE_URL": database, "REDIS_URL": redis.url, "AUTH_KEYS": stores.KEYS}
        started = 0

        def run(variant: str) -> Sample:
            nonlocal started
            started += 1
            return _start(context, variant, f"start-{started}", settings, python)

        for variant in _VARIANTS:
            run(variant)
        yield from interleaved(context, list(_VARIANTS), run, "start")


def _start(context: Context, variant: str, name: str, settings: Mapping[str, str], python: Path) -> Sample:
    module, port_setting, path, special = _VARIANTS[variant]
    port = free_port()
    folder = Path(context.folder)
    began_s = monotonic()
    with service(
        name,
        module,
        dict(settings) | special | {port_setting: str(port)},
        cores=context.server_core,
        folder=folder,
        python=python,
    ) as process:

        def ready() -> bool:
            try:
                return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=5).is_success
            except httpx.HTTPError:
                return False

        process.wait_for(ready, "readiness")
        return {"cpu_s": process.cpu_s(), "wall_s": monotonic() - began_s}


def render(raw: Raw) -> str:
    """The section."""
    rows = [
        (
            variant,
            cell(raw.spread("cpu_s", variant=variant), 2),
            cell(raw.spread("wall_s", variant=variant), 2),
        )
        for variant in raw.variants()
    ]
    web = raw.spread("cpu_s", variant="web")
    goal = verdict(
        f"web process ready within {GOAL_CPU_S:g} CPU seconds", web.median if web else None, most=GOAL_CPU_S
    )
    return (
        "The packages of the image, bytecode at hand, on PostgreSQL and Redis, one core; with Gunicorn all "
        "processes together.\n\n" + table(("process", "CPU seconds", "wall seconds"), rows) + f"\n\n{goal}"
    )
