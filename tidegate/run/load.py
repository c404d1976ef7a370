"""What was offered, what was served, and how long it took."""

from __future__ import annotations

import math

import polars as pl

from tidegate.models import OTHER_GROUP, Slo
from tidegate.run.format import NOBODY
from tidegate.run.percentile import percentile_of
from tidegate.run.reader import RunReader

LOAD_SCHEMA = pl.Schema({"t_s": pl.Float64(), "offered": pl.Int64(), "ok": pl.Int64(), "failed": pl.Int64()})
LATENCY_SCHEMA = pl.Schema(
    {
        "t_s": pl.Float64(),
        "route_group": pl.String(),
        "count": pl.Int64(),
        "p50_ms": pl.Float64(),
        "p95_ms": pl.Float64(),
        "p99_ms": pl.Float64(),
    }
)


def with_latency(requests: pl.DataFrame, slo: Slo) -> pl.DataFrame:
    """Add `route_group`, `latency_ms` (intended start to end) and `service_ms` (start to end)."""
    groups = slo.route_groups()
    group = (
        pl.col("route").replace_strict(groups, default=OTHER_GROUP, return_dtype=pl.String())
        if groups
        else pl.lit(OTHER_GROUP)
    )
    return requests.with_columns(
        route_group=group,
        latency_ms=(pl.col("end_s") - pl.col("intended_start_s")) * 1000,
        service_ms=(pl.col("end_s") - pl.col("start_s")) * 1000,
    )


def start_delays(requests: pl.DataFrame) -> pl.DataFrame:
    """Return how late each request started by the generator's own doing.

    A request may start late for two reasons. Its user was still waiting for the answer before: then the
    service was slow, and the wait belongs to the latency that is judged. Or nobody had to be waited for and
    the generator did not come round to it: that is its own delay, `start - max(intended start, end of the
    same user's request before)`. Requests of `NOBODY` (an open loop) have no such excuse.

    Args:
        requests: all requests of a run, since one before a window may have ended within it.

    Returns:
        `intended_start_s`, `delay_ms`, and `queued`: whether it waited for an answer.
    """
    users = requests.filter(pl.col("user") != NOBODY).sort("user", "start_s", maintain_order=True)
    nobody = requests.filter(pl.col("user") == NOBODY)
    free_s = pl.max_horizontal("intended_start_s", pl.col("end_s").cum_max().shift(1).over("user"))
    return pl.concat(
        [
            users.with_columns(free_s=free_s),
            nobody.with_columns(free_s=pl.col("intended_start_s")),
        ]
    ).select(
        "intended_start_s",
        delay_ms=((pl.col("start_s") - pl.col("free_s")) * 1000).clip(lower_bound=0),
        queued=pl.col("free_s") > pl.col("intended_start_s"),
    )


def load_series(run: RunReader) -> pl.DataFrame:
    """Return requests a second: `t_s` (start of the second), `offered`, `ok`, `failed`.

    A request is offered in the second of its intended start, and counted as ok or failed in the second of
    its end. Every second between the first and the last has a row.
    """
    requests = run.requests()
    if requests.is_empty():
        return pl.DataFrame(schema=LOAD_SCHEMA)
    counted = [
        requests.group_by(t_s=pl.col("intended_start_s").floor()).agg(offered=pl.len()),
        requests.filter("ok").group_by(t_s=pl.col("end_s").floor()).agg(ok=pl.len()),
        requests.filter(~pl.col("ok")).group_by(t_s=pl.col("end_s").floor()).agg(failed=pl.len()),
    ]
    moments = pl.concat([part.select("t_s") for part in counted])["t_s"]
    first, last = math.floor(float(str(moments.min()))), math.floor(float(str(moments.max())))
    grid = pl.DataFrame({"t_s": pl.Series(range(first, last + 1), dtype=pl.Float64)})
    for part in counted:
        grid = grid.join(part, on="t_s", how="left")
    return grid.sort("t_s").select(
        "t_s", *(pl.col(name).fill_null(0).cast(pl.Int64) for name in ("offered", "ok", "failed"))
    )


def latency_series(run: RunReader, bucket_s: float = 5.0) -> pl.DataFrame:
    """Return latency percentiles (milliseconds, nearest-rank) by bucket of intended start and route group.

    Only buckets with requests have a row. `t_s` is the start of the bucket.
    """
    requests = run.requests()
    if requests.is_empty():
        return pl.DataFrame(schema=LATENCY_SCHEMA)
    return (
        with_latency(requests, run.plan.slo)
        .group_by(t_s=(pl.col("intended_start_s") / bucket_s).floor() * bucket_s, route_group="route_group")
        .agg(
            count=pl.len().cast(pl.Int64),
            p50_ms=percentile_of("latency_ms", 50),
            p95_ms=percentile_of("latency_ms", 95),
            p99_ms=percentile_of("latency_ms", 99),
        )
        .sort("t_s", "route_group")
    )
