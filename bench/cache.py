"""The caches: what each layer saves, how often it is hit, and what a thousand callers at once cost."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from bench import stores
from bench.goals import verdict
from bench.processes import free_port, service
from bench.raw import Raw, Sample, cell, table
from bench.spread import Spread
from bench.suite import Context, interleaved
from tidegate.host.paths import project_root

if TYPE_CHECKING:
    from support.postgres_server import PostgresServer

TITLE = "Caches"
MINUTES = 1.8
CALLERS = 1_000
RATE, RATE_S = 200.0, 4.0
_LOOKUPS = re.compile(r'^tidegate_cache_lookups_total\{layer="(\w+)",result="(\w+)"\} ([0-9.e+]+)$', re.M)
_QUERY = re.compile(r"\bFROM products\b")

_LAYERS = {
    "response": {"CACHE_TTL_S": "3600"},
    "redis": {"CACHE_TTL_S": "0.001", "CACHE_STALE_S": "0"},
    "none": {"CACHE": "false"},
}
"""Settings with which a lookup ends at the layer. `redis`: what is kept in the process is too old at once."""
_VARIANTS = tuple(_LAYERS)


def lookups(exposition: str) -> dict[str, dict[str, float]]:
    """How often each layer was asked, by layer and result, from the metrics' text."""
    found: dict[str, dict[str, float]] = {}
    for layer, result, count in _LOOKUPS.findall(exposition):
        found.setdefault(layer, {})[result] = float(count)
    return found


def hit_ratio(results: dict[str, float]) -> float | None:
    """Hits and stale answers over all lookups; None without lookups."""
    asked = sum(results.values())
    return (results.get("hit", 0.0) + results.get("stale", 0.0)) / asked if asked else None


def product_queries(log: str) -> int:
    """How many queries for products PostgreSQL's log tells of."""
    return len(_QUERY.findall(log))


def measure(context: Context) -> Iterator[Sample]:
    """Latency with one layer at a time, hit ratios under a skewed load, then the stampede."""
    with ExitStack() as running:
        redis = running.enter_context(stores.redis(context.folder))
        postgres = running.enter_context(stores.postgres("log_statement=all"))
        database = postgres.new_database()
        stores.migrate(database)
        settings = {
            "DATABASE_URL": database,
            "REDIS_URL": redis.url,
            "AUTH_KEYS": stores.KEYS,
            "RATE_LIMITS": "false",
            "LOG_LEVEL": "WARNING",
        }

        def web(name: str, **more: str) -> str:
            port = free_port()
            process = service(
                name,
                "app",
                settings | {"PORT": str(port)} | more,
                cores=context.server_core,
                folder=context.folder,
            )
            running.enter_context(process).wait_http(f"http://127.0.0.1:{port}/readyz")
            return f"http://127.0.0.1:{port}"

        bases = {name: web(f"web-{name}", **_LAYERS[name]) for name in _VARIANTS}

        def one_product(layer: str) -> Sample:
            url = f"{bases[layer]}/api/v2/products/1"
            httpx.get(url).raise_for_status()
            measured = context.generators.open([{"url": url}], rate=RATE, duration_s=context.dose(RATE_S))
            return {"phase": "layer", **measured.sample()}

        yield from interleaved(context, _VARIANTS, one_product, "layer")

        for repetition in range(1, context.repetitions + 1):
            fresh = web(f"web-skewed-{repetition}", CACHE_TTL_S="1")
            sample = _skewed(context, fresh)
            context.say(f"skewed load {repetition}/{context.repetitions}: {sample['ratios']}")
            yield {"variant": "skewed", "repetition": repetition, **sample}

        for repetition in range(1, context.repetitions + 1):
            fresh = web(f"web-stampede-{repetition}")
            sample = _stampede(context, fresh, postgres, page=repetition)
            context.say(f"stampede {repetition}/{context.repetitions}: {sample}")
            yield {"variant": "stampede", "repetition": repetition, **sample}


def _skewed(context: Context, base: str) -> Sample:
    """Products asked for as in shops, the n-th most wanted 1/n as often, from cold."""
    draw = random.Random(1)  # noqa: S311 - a load, not a secret
    products = range(1, 201)
    chosen = draw.choices(products, weights=[1 / number for number in products], k=4_000)
    targets = [{"url": f"{base}/api/v2/products/{number}"} for number in chosen]
    measured = context.generators.open(targets, rate=RATE, duration_s=context.dose(2 * RATE_S))
    found = lookups(httpx.get(f"{base}/metrics").text)
    ratios = {layer: hit_ratio(results) for layer, results in found.items() if layer != "query"}
    made = found.get("query", {}).get("made", 0.0)
    return {"phase": "skewed", **measured.sample(), "ratios": ratios, "queries": made}


def _stampede(context: Context, base: str, postgres: PostgresServer, *, page: int) -> Sample:
    """A thousand callers ask for the same page at once, that nobody has asked for before."""
    log = Path(postgres.log)
    path = f"/api/v2/products?limit=50&min_price_cents={page}"
    port = int(base.rpartition(":")[2])
    callers = round(context.dose(CALLERS, 200))
    client = subprocess.Popen(
        [
            *("taskset", "-c", str(context.cores.generator)),
            *(sys.executable, "-m", "bench.connection_client", str(port), path, str(callers)),
            *("--open-path", "/healthz", "--under-way", str(callers)),
        ],
        cwd=project_root(),
        env={**os.environ, "PYTHONPATH": str(project_root())},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert client.stdout is not None  # noqa: S101 - asked for above
    client.stdout.readline()
    before = log.stat().st_size
    output, _ = client.communicate("\n")
    with log.open("rb") as file:
        file.seek(before)
        written = file.read().decode(errors="replace")
    served = json.loads(output)
    return {
        "phase": "stampede",
        "callers": callers,
        "served": served["served"],
        "errors": served["errors"],
        "queries": product_queries(written),
        "p50_ms": served.get("p50_ms"),
        "p99_ms": served.get("p99_ms"),
        "took_s": served["took_s"],
    }


def render(raw: Raw) -> str:
    """The section."""
    names = {
        "response": "the response cache",
        "redis": "Redis (query result)",
        "none": "PostgreSQL, no cache",
    }
    latency = [
        (
            names[variant],
            *(cell(raw.spread(f"{p}_ms", variant=variant, phase="layer")) for p in ("p50", "p95", "p99")),
        )
        for variant in _VARIANTS
    ]
    skewed = raw.counted(phase="skewed")
    layers = list(dict.fromkeys(layer for sample in skewed for layer in sample["ratios"]))
    ratios = [
        (
            layer,
            cell(
                Spread.of([100 * s["ratios"][layer] for s in skewed if s["ratios"].get(layer) is not None]), 1
            ),
        )
        for layer in layers
    ]
    queries = raw.spread("queries", phase="stampede")
    errors = raw.spread("errors", phase="stampede")
    goal = verdict(f"{CALLERS:,} concurrent misses make 1 query", queries.high if queries else None, most=1)
    return "\n".join(
        [
            f"Latency of one product at {RATE:g} requests/s (vegeta), by the layer that answers:\n",
            table(("answered by", "p50 ms", "p95 ms", "p99 ms"), latency),
            "\nHit ratio in percent of the lookups that reach a layer: 200 products, the n-th asked 1/n as "
            f"often, {RATE:g}/s for {2 * RATE_S:g} s from cold, entries fresh for 1 s, no caller copies; "
            f"{cell(raw.spread('queries', phase='skewed'), 0)} queries for "
            f"{cell(raw.spread('requests', phase='skewed'), 0)} requests:\n",
            table(("layer", "hits %"), ratios),
            f"\n{cell(raw.spread('callers'), 0)} connections ask at once for a page that is in no cache: "
            f"{cell(queries, 0)} queries in PostgreSQL's log, errors {cell(errors, 0)}, p99 "
            f"{cell(raw.spread('p99_ms', phase='stampede'), 0)} ms. {goal}",
        ]
    )
