"""Figures and series that rest on client requests."""

from __future__ import annotations

import polars as pl

from tidegate.models import OTHER_GROUP, Check, Slo
from tidegate.report.frame import Frame
from tidegate.report.model import (
    XY,
    Failure,
    GroupLatency,
    LatencyGroup,
    LatencySeries,
    LoadSeries,
    ObjectiveResult,
    Percentiles,
    Totals,
)
from tidegate.report.thin import bucket_for, line, short
from tidegate.run import RunReader, latency_series, load_series, nearest_rank, with_latency
from tidegate.run.percentile import percentile_of
from tidegate.verdict.stats import wilson

LOAD_BUCKETS = 900
LATENCY_BUCKETS = 450
LATENCY_BUCKET_S = 5.0
"""Shortest bucket of a percentile: below it a handful of requests makes every bucket's p99 its maximum."""
PEAK_S = 5.0
MOST_FAILURES = 10


def totals(run: RunReader, availability: Check | None, load: LoadSeries | None, frame: Frame) -> Totals:
    """Return the totals; the interval is that of the verdict's check where there is one."""
    requests = run.window_requests()
    count, ok = requests.height, int(requests["ok"].sum())
    interval = availability.spread if availability is not None else None
    if interval is None and count:
        low, high = wilson(ok, count)
        interval = (100 * low, 100 * high)
    by_cause = (
        requests.filter(~pl.col("ok"))
        .group_by(
            what=pl.coalesce("error", pl.format("HTTP {}", "status")) + pl.lit(" on ") + pl.col("route")
        )
        .agg(
            count=pl.len(),
            first_t_s=pl.col("intended_start_s").min(),
            last_t_s=pl.col("intended_start_s").max(),
        )
        .sort(["count", "what"], descending=[True, False])
    )
    span_s = frame.window_s[1] - frame.window_s[0]
    return Totals(
        requests=count,
        ok=ok,
        failed=count - ok,
        availability_percent=100 * ok / count if count else None,
        availability_interval_percent=interval,
        mean_offered_rps=count / span_s if count and span_s > 0 else None,
        peak_offered_rps=max(smoothed(load), default=None) if load else None,
        failures=tuple(
            Failure(
                what=str(row["what"])[:200],
                count=int(row["count"]),
                first_t_s=float(row["first_t_s"]),
                last_t_s=float(row["last_t_s"]),
            )
            for row in by_cause.head(MOST_FAILURES).iter_rows(named=True)
        ),
    )


def smoothed(load: LoadSeries) -> list[float]:
    """Return offered requests a second as means over `PEAK_S` from each bucket on: a peak, not a flicker."""
    width = max(1, round(PEAK_S / load.bucket_s))
    last = max(1, len(load.offered) - width + 1)
    return [sum(load.offered[i : i + width]) / len(load.offered[i : i + width]) for i in range(last)]


def groups(slo: Slo) -> list[str]:
    """Return the route groups in the order of the objectives; `OTHER_GROUP` is last."""
    return [*dict.fromkeys(one.route_group for one in slo.latency), OTHER_GROUP]


def latency(run: RunReader, over_s: dict[tuple[str, float], float]) -> dict[str, GroupLatency]:
    """Return the figures of each group that has an objective or a request, over the load window."""
    slo = run.plan.slo
    timed = with_latency(run.window_requests(), slo)
    found: dict[str, GroupLatency] = {}
    for group in groups(slo):
        # To whole microseconds, as the verdict does: unix seconds in a double are exact to a quarter of one.
        values: list[float] = (
            timed.filter(pl.col("route_group") == group)["latency_ms"].round(3).sort().to_list()
        )
        if not values and group == OTHER_GROUP:
            continue
        served: list[float] = (
            timed.filter(pl.col("route_group") == group)["service_ms"].round(3).sort().to_list()
        )

        def at(percentile: float, ordered: list[float] = values) -> float | None:
            return nearest_rank(ordered, percentile) if ordered else None

        results: list[ObjectiveResult] = []
        for one in slo.latency:
            if one.route_group == group:
                measured = at(one.percentile)
                results.append(
                    ObjectiveResult(
                        percentile=one.percentile,
                        threshold_ms=one.threshold_ms,
                        measured_ms=measured,
                        held=None if measured is None else measured <= one.threshold_ms,
                        over_s=over_s.get((group, one.percentile), 0.0),
                    )
                )
        found[group] = GroupLatency(
            count=len(values),
            p50=at(50),
            p95=at(95),
            p99=at(99),
            max=at(100),
            from_start=Percentiles(p50=at(50, served), p95=at(95, served), p99=at(99, served)),
            objectives=tuple(results),
        )
    return found


def load_chart(run: RunReader, frame: Frame) -> LoadSeries | None:
    """Return offered, served and failed requests a second over the domain."""
    rows = load_series(run).filter(pl.col("t_s").is_between(frame.domain_s[0] - 1, frame.domain_s[1]))
    if rows.is_empty():
        return None
    bucket_s = bucket_for(frame.domain_s[1] - frame.domain_s[0], 1.0, LOAD_BUCKETS)
    # Seconds are counted from the load's own start, so that no bucket straddles it.
    first_s = float(rows["t_s"][0])
    summed = (
        rows.group_by(bucket=((pl.col("t_s") - first_s) / bucket_s).floor())
        .agg(pl.len().alias("seconds"), pl.col("offered", "ok", "failed").sum())
        .sort("bucket")
    )

    def rate(column: str) -> tuple[float, ...]:
        return tuple(short(value) for value in (summed[column] / summed["seconds"]).to_list())

    return LoadSeries(
        bucket_s=bucket_s,
        x=tuple(frame.x(first_s + bucket * bucket_s) for bucket in summed["bucket"].to_list()),
        offered=rate("offered"),
        served=rate("ok"),
        failed=rate("failed"),
        failed_count=tuple(summed["failed"].to_list()),
    )


def latency_chart(run: RunReader, frame: Frame) -> LatencySeries | None:
    """Return percentiles over time by route group."""
    bucket_s = bucket_for(frame.domain_s[1] - frame.domain_s[0], LATENCY_BUCKET_S, LATENCY_BUCKETS)
    rows = latency_series(run, bucket_s).filter(
        pl.col("t_s").is_between(frame.domain_s[0] - bucket_s, frame.domain_s[1])
    )
    if rows.is_empty():
        return None
    found: dict[str, LatencyGroup] = {}
    for group in groups(run.plan.slo):
        part = rows.filter(pl.col("route_group") == group)
        if part.is_empty():
            continue
        p50, p95, p99 = (tuple(round(v, 1) for v in part[f"{p}_ms"].to_list()) for p in ("p50", "p95", "p99"))
        found[group] = LatencyGroup(
            x=tuple(frame.x(t_s) for t_s in part["t_s"].to_list()),
            count=tuple(part["count"].to_list()),
            p50=p50,
            p95=p95,
            p99=p99,
        )
    return LatencySeries(bucket_s=bucket_s, groups=found)


def served_by_pod(run: RunReader) -> dict[str, tuple[int, int]]:
    """Return how many requests each pod answered, and how many of them failed."""
    rows = (
        run.requests()
        .filter(pl.col("pod").is_not_null())
        .group_by("pod")
        .agg(count=pl.len(), failed=(~pl.col("ok")).sum())
    )
    return {str(row["pod"]): (int(row["count"]), int(row["failed"])) for row in rows.iter_rows(named=True)}


def start_delay_chart(delays: pl.DataFrame, frame: Frame) -> XY | None:
    """Return the p99 of the generator's own delay over time."""
    bucket_s = bucket_for(frame.domain_s[1] - frame.domain_s[0], LATENCY_BUCKET_S, LATENCY_BUCKETS)
    rows = (
        delays.group_by(t_s=(pl.col("intended_start_s") / bucket_s).floor() * bucket_s)
        .agg(p99=percentile_of("delay_ms", 99))
        .sort("t_s")
        .filter(pl.col("t_s").is_between(frame.domain_s[0] - bucket_s, frame.domain_s[1]))
    )
    if rows.is_empty():
        return None
    return line([frame.x(t_s) for t_s in rows["t_s"].to_list()], rows["p99"].to_list())
