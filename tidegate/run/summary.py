"""The headline figures of a run's load window."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tidegate.run.load import with_latency
from tidegate.run.percentile import percentile_of
from tidegate.run.reader import RunReader


@dataclass(frozen=True, slots=True)
class Totals:
    """How many requests, and how many failed."""

    requests: int
    failed: int

    @property
    def availability_percent(self) -> float | None:
        """Share of requests that did not fail, percent; None without requests."""
        return 100 * (self.requests - self.failed) / self.requests if self.requests else None


@dataclass(frozen=True, slots=True)
class LatencySummary:
    """Percentiles (nearest-rank) of one route group over all its requests, from intended start to end, and
    from the real start, which is what the service alone was seen to take."""

    route_group: str
    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    service_p50_ms: float
    service_p95_ms: float
    service_p99_ms: float


def totals(run: RunReader) -> Totals:
    """Count the requests meant to start within the load window."""
    requests = run.window_requests()
    return Totals(requests.height, requests.height - int(requests["ok"].sum()))


def latency_summary(run: RunReader) -> list[LatencySummary]:
    """Return the percentiles of each route group that had requests in the load window, sorted by name."""
    requests = run.window_requests()
    if requests.is_empty():
        return []
    grouped = (
        with_latency(requests, run.plan.slo)
        .group_by("route_group")
        .agg(
            count=pl.len(),
            p50_ms=percentile_of("latency_ms", 50),
            p95_ms=percentile_of("latency_ms", 95),
            p99_ms=percentile_of("latency_ms", 99),
            service_p50_ms=percentile_of("service_ms", 50),
            service_p95_ms=percentile_of("service_ms", 95),
            service_p99_ms=percentile_of("service_ms", 99),
        )
        .sort("route_group")
    )
    return [LatencySummary(**row) for row in grouped.iter_rows(named=True)]
