"""Offload: the fraud check inline against an order that is taken at once and decided by a worker.

Offload moves work and saves none: web and worker share one core here, as the inline process has it. The
accept latency is taken while the worker fills that core, and while it fills another one, as in a cluster.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, cast

import asyncpg  # pyright: ignore[reportMissingTypeStubs] - it has none
import redis as redis_client

from bench import stores
from bench.goals import verdict
from bench.processes import Process, free_port, service
from bench.raw import Raw, Sample, cell, table
from bench.spread import percentiles
from bench.suite import Context

TITLE = "Offload"
MINUTES = 5.5
GOAL_ACCEPT_P95_MS = 25.0
WEIGHT = 1.0
"""About 1.8 s of CPU."""
SMALL_WEIGHT = 0.02
"""The service's own default, about 36 ms; for jobs a second there must be some."""
CALM_RPS, CALM_S = 0.4, 10.0
BUSY_RPS, BUSY_S = 50.0, 5.0
AGE_LIMIT_S, SHED_S = 2.0, 6.0
BACKLOG_RPS, BACKLOG_S = 40.0, 4.0
_ACCOUNTS = 50

_connect: Callable[[str], Awaitable[Any]] = cast("Any", asyncpg).connect


class _Shop:
    """Database, queue and processes."""

    def __init__(self, context: Context, running: ExitStack) -> None:
        self._context, self._running = context, running
        redis = running.enter_context(stores.redis(context.folder))
        postgres = running.enter_context(stores.postgres())
        database = postgres.new_database()
        stores.migrate(database)
        self._dsn = database.replace("+asyncpg", "")
        self._redis = redis_client.Redis.from_url(redis.url)  # pyright: ignore[reportUnknownMemberType]
        self._settings = {
            "DATABASE_URL": database,
            "REDIS_URL": redis.url,
            "AUTH_KEYS": stores.KEYS,
            "RATE_LIMITS": "false",
            "LOG_LEVEL": "WARNING",
            "OUTBOX_POLL_S": "0.05",
            "REDELIVER_AFTER_S": "60",
            "QUEUE_AGE_LIMIT_S": "3600",
            "FRAUD_WEIGHT": str(WEIGHT),
        }
        self._workers = 0

    def web(self, name: str, **settings: str) -> str:
        """Start a web process for the whole benchmark; its address."""
        port = free_port()
        chosen = self._settings | {"PORT": str(port)} | settings
        process = service(name, "app", chosen, cores=self._context.server_core, folder=self._context.folder)
        self._running.enter_context(process).wait_http(f"http://127.0.0.1:{port}/readyz")
        return f"http://127.0.0.1:{port}"

    def worker(self, *, elsewhere: bool = False, **settings: str) -> Process:
        """Start a worker.

        Args:
            elsewhere: as if on another machine: on the other core, of which it gets what the generator and
                the databases leave.
        """
        self._workers += 1
        port = free_port()
        chosen = self._settings | {"WORKER_METRICS_PORT": str(port), "WORKER_THREADS": "1"} | settings
        process = service(
            f"worker-{self._workers}",
            "app.worker",
            chosen,
            cores=(self._context.cores.generator,) if elsewhere else self._context.server_core,
            folder=self._context.folder,
            gives_way=elsewhere,
        )
        process.wait_http(f"http://127.0.0.1:{port}/healthz")
        return process

    def clear(self) -> None:
        """Forget what is owed, so that one phase does not burden the next."""
        self._sql("DELETE FROM outbox")
        self._sql("UPDATE orders SET status = 'accepted' WHERE status = 'pending'")
        self._redis.flushall()  # pyright: ignore[reportUnknownMemberType] - untyped keywords

    def pending(self) -> int:
        """Orders taken and not decided."""
        return int(self._sql("SELECT count(*) FROM orders WHERE status = 'pending'")[0][0])

    def waits_ms(self, since_s: float) -> list[float]:
        """From submission to result, of the version 2 orders decided that were taken since then."""
        rows = self._sql(
            "SELECT extract(epoch FROM decided_at - created_at)::float8 * 1000 FROM orders "
            "WHERE api_version = 'v2' AND decided_at IS NOT NULL AND created_at > to_timestamp($1)",
            since_s,
        )
        return [float(row[0]) for row in rows]

    def decided_per_s(self, since_s: float) -> float:
        """Decisions a second, from the first taken order to the last decision."""
        rows = self._sql(
            "SELECT count(*), extract(epoch FROM max(decided_at) - min(created_at))::float8 FROM orders "
            "WHERE decided_at IS NOT NULL AND created_at > to_timestamp($1)",
            since_s,
        )
        return float(rows[0][0]) / float(rows[0][1] or 1)

    def _sql(self, text: str, *values: float) -> Sequence[Any]:
        async def execute() -> Sequence[Any]:
            connection: Any = await _connect(self._dsn)
            try:
                return await connection.fetch(text, *values)
            finally:
                await connection.close()

        return asyncio.run(execute())


def measure(context: Context) -> Iterator[Sample]:
    """All phases in turn, then all again."""
    with ExitStack() as running:
        shop = _Shop(context, running)
        web = shop.web("web")
        shedding = shop.web("web-shedding", QUEUE_AGE_LIMIT_S=f"{AGE_LIMIT_S:g}")
        phases: dict[str, Callable[[], Sample]] = {
            "inline": lambda: _inline(context, shop, web),
            "offload": lambda: _calm(context, shop, web),
            "elsewhere": lambda: _busy(context, shop, web, elsewhere=True),
            "busy": lambda: _busy(context, shop, web),
            "shedding": lambda: _shed(context, shop, shedding),
            "jobs": lambda: _jobs(context, shop, web),
        }
        for repetition in range(1, context.repetitions + 1):
            for variant, run in phases.items():
                shop.clear()
                sample = run()
                context.say(
                    f"offload {repetition}/{context.repetitions} {variant}: p95_ms {sample['p95_ms']:.1f}"
                )
                yield {"variant": variant, "repetition": repetition, **sample}


def orders(base: str, version: str) -> list[Mapping[str, Any]]:
    """Requests of all seeded accounts in turn."""
    body = json.dumps({"lines": [{"product_id": 1, "quantity": 2}, {"product_id": 7, "quantity": 1}]})
    return [
        {
            "method": "POST",
            "url": f"{base}/api/{version}/orders",
            "header": {"Content-Type": ["application/json"], "Authorization": [stores.bearer(number)]},
            "body": body,
        }
        for number in range(1, _ACCOUNTS + 1)
    ]


def _inline(context: Context, shop: _Shop, web: str) -> Sample:
    del shop
    measured = context.generators.open(
        orders(web, "v1"), rate=CALM_RPS, duration_s=context.dose(CALM_S, 5), timeout_s=60
    )
    return measured.sample()


def _calm(context: Context, shop: _Shop, web: str) -> Sample:
    with shop.worker() as worker:
        since_s = time.time()
        measured = context.generators.open(
            orders(web, "v2"), rate=CALM_RPS, duration_s=context.dose(CALM_S, 5), timeout_s=60
        )
        worker.wait_for(lambda: shop.pending() == 0, "end of the orders")
        return measured.sample() | _results(shop.waits_ms(since_s))


def _busy(context: Context, shop: _Shop, web: str, *, elsewhere: bool = False) -> Sample:
    """Far more orders than the worker decides: it fills its core throughout."""
    with shop.worker(elsewhere=elsewhere):
        measured = context.generators.open(
            orders(web, "v2"), rate=BUSY_RPS, duration_s=context.dose(BUSY_S, 2)
        )
    return measured.sample() | {"pending": shop.pending()}


def _shed(context: Context, shop: _Shop, web: str) -> Sample:
    """The same rate where orders are refused once the oldest has waited for `AGE_LIMIT_S`."""
    with shop.worker():
        measured = context.generators.open(
            orders(web, "v2"), rate=BUSY_RPS, duration_s=context.dose(SHED_S, 4)
        )
    statuses = measured.statuses or {}
    taken, refused = statuses.get("202", 0), statuses.get("503", 0)
    return measured.sample() | {
        "taken": taken,
        "refused": refused,
        "other": measured.requests - taken - refused,
        "pending": shop.pending(),
    }


def _jobs(context: Context, shop: _Shop, web: str) -> Sample:
    """A backlog of small checks, worked off."""
    with shop.worker(FRAUD_WEIGHT=str(SMALL_WEIGHT)) as worker:
        since_s = time.time()
        measured = context.generators.open(
            orders(web, "v2"), rate=BACKLOG_RPS, duration_s=context.dose(BACKLOG_S)
        )
        worker.wait_for(lambda: shop.pending() == 0, "end of the backlog")
        decided = {"jobs_per_s": shop.decided_per_s(since_s)}
        return measured.sample() | _results(shop.waits_ms(since_s)) | decided


def _results(waits_ms: list[float]) -> Sample:
    return {f"result_{name}_ms": value for name, value in percentiles(waits_ms).items()}


_PERCENTILES = ("p50_ms", "p95_ms", "p99_ms")


def render(raw: Raw) -> str:
    """The section."""

    def row(name: str, variant: str, prefix: str = "") -> tuple[str, ...]:
        return (name, *(cell(raw.spread(prefix + item, variant=variant)) for item in _PERCENTILES))

    rows = [
        row(f"v1, decided inline, weight 1, {CALM_RPS:g}/s", "inline"),
        row(f"v2, accepted, weight 1, {CALM_RPS:g}/s", "offload"),
        row(f"v2, submission to result, weight 1, {CALM_RPS:g}/s", "offload", "result_"),
        row(f"v2, accepted, {BUSY_RPS:g}/s, worker busy on the other core", "elsewhere"),
        row(f"v2, accepted, {BUSY_RPS:g}/s, worker filling the same core", "busy"),
        row(f"v2, accepted, weight {SMALL_WEIGHT:g}, {BACKLOG_RPS:g}/s", "jobs"),
        row(f"v2, submission to result, weight {SMALL_WEIGHT:g}, {BACKLOG_RPS:g}/s", "jobs", "result_"),
    ]
    limit = f"within {GOAL_ACCEPT_P95_MS:g} ms at {BUSY_RPS:g}/s"
    goals = [
        verdict(f"accept p95 {limit}, {place}", spread.median if spread else None, most=GOAL_ACCEPT_P95_MS)
        for variant, place in (("elsewhere", "worker on the other core"), ("busy", "worker on the same core"))
        for spread in [raw.spread("p95_ms", variant=variant)]
    ]
    shed = [
        ("taken (202)", cell(raw.spread("taken", variant="shedding"), 0)),
        ("refused (503 with Retry-After)", cell(raw.spread("refused", variant="shedding"), 0)),
        ("anything else", cell(raw.spread("other", variant="shedding"), 0)),
        ("p95 ms of both", cell(raw.spread("p95_ms", variant="shedding"))),
        ("left undecided", cell(raw.spread("pending", variant="shedding"), 0)),
    ]
    jobs = cell(raw.spread("jobs_per_s", variant="jobs"), 1)
    return "\n".join(
        [
            "Web process and worker share one core, PostgreSQL, Redis and vegeta the other. A worker that is "
            "on the other core gets of it what those leave.\n",
            table(("", "p50 ms", "p95 ms", "p99 ms"), rows),
            f"\nOne worker decides {jobs} orders/s at weight {SMALL_WEIGHT:g}, beside the web process. "
            f"{' '.join(goals)}\n",
            f"Past saturation, weight 1, {BUSY_RPS:g}/s for {SHED_S:g} s, the age bounded "
            f"at {AGE_LIMIT_S:g} s:\n",
            table(("", "orders"), shed),
        ]
    )
