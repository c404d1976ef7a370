"""Servers side by side: the same application and routes, each server on one core, with and without NGINX."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

from bench import tools
from bench.fleet import LARGE, SMALL, Fleet
from bench.front import front
from bench.processes import Process
from bench.raw import Raw, Sample, cell, table
from bench.suite import Context, interleaved

TITLE = "Servers side by side"
MINUTES = 5
CONNECTIONS = 32
ROUTES = {"small": SMALL, "large": LARGE}
SERVERS = {
    "uvicorn": {"SERVER": "uvicorn"},
    "uvicorn, asyncio": {"SERVER": "uvicorn", "LOOP": "asyncio"},
    "gunicorn": {"SERVER": "gunicorn", "SERVER_WORKERS": "1"},
    "hypercorn": {"SERVER": "hypercorn"},
    "granian": {},
}


def measure(context: Context) -> Iterator[Sample]:
    """Closed loop; every server, alone and behind NGINX on the same core, on a small and a large answer."""
    with ExitStack() as running:
        fleet = Fleet(context, running)
        groups: dict[str, tuple[str, list[Process]]] = {}
        for name, settings in SERVERS.items():
            process, port = fleet.start_granian(name) if name == "granian" else fleet.start(name, settings)
            groups[name] = (f"http://127.0.0.1:{port}", [process])
            proxy, proxy_port = front(
                f"nginx-{len(groups)}",
                tools.nginx(),
                [port],
                cores=context.server_core,
                folder=context.folder,
            )
            running.enter_context(proxy).wait_http(f"http://127.0.0.1:{proxy_port}/readyz")
            groups[f"nginx + {name}"] = (f"http://127.0.0.1:{proxy_port}", [process, proxy])

        for route, path in ROUTES.items():

            def run(variant: str, route: str = route, path: str = path) -> Sample:
                base, processes = groups[variant]
                began_s = sum(process.cpu_s() for process in processes)
                measured = context.generators.closed(
                    base + path, connections=CONNECTIONS, duration_s=context.dose(2)
                )
                spent_s = sum(process.cpu_s() for process in processes) - began_s
                return {
                    "route": route,
                    **measured.sample(),
                    "cpu_us": 1e6 * spent_s / max(1, measured.requests),
                }

            for variant in groups:
                run(variant)
            yield from interleaved(context, list(groups), run, f"servers, {route}")


def render(raw: Raw) -> str:
    """The section."""
    parts = [
        f"One process of each on one core, NGINX on the same core where it stands in front, {CONNECTIONS} "
        "connections kept busy (wrk), answers from the response cache. All on uvloop where nothing else is "
        "said. Granian is for reference: the service does not offer it.\n"
    ]
    for route, path in ROUTES.items():
        rows = [
            (
                variant,
                cell(raw.spread("rps", variant=variant, route=route), 0),
                cell(raw.spread("cpu_us", variant=variant, route=route), 0),
                cell(raw.spread("p50_ms", variant=variant, route=route)),
                cell(raw.spread("p99_ms", variant=variant, route=route)),
                cell(raw.spread("max_ms", variant=variant, route=route)),
                cell(raw.spread("errors", variant=variant, route=route), 0),
            )
            for variant in raw.variants()
        ]
        parts.append(f"`GET {path}`:\n")
        head = ("server", "requests/s", "CPU µs a request", "p50 ms", "p99 ms", "longest ms", "errors")
        parts.append(table(head, rows) + "\n")
    return "\n".join(parts)
