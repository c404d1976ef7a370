"""When the service was again as it had been before the fault."""

from __future__ import annotations

from itertools import pairwise
from typing import cast

import polars as pl

from tidegate.run import nearest_rank

BUCKET_S = 5.0
CALM_BUCKETS = 3
"""Buckets in a row that must be as before for the service to count as recovered."""
AS_BEFORE = 1.2
"""A bucket is as before if its p99 is at most this much above the worst of before."""


def recovery_s(requests: pl.DataFrame, before: pl.DataFrame, over_s: float, end_s: float) -> float | None:
    """Return the seconds from `over_s` to `CALM_BUCKETS` buckets in a row as before; None if never."""
    usual = _buckets(before)
    if not usual:
        return None
    limit_ms = AS_BEFORE * max(p99 for _, _, p99 in usual)
    allowed = max(failed for _, failed, _ in usual)
    later = _buckets(
        requests.filter(pl.col("intended_start_s").is_between(over_s, end_s, closed="left")), over_s
    )
    fine = [failed <= allowed and p99 <= limit_ms for _, failed, p99 in later]
    for i in range(len(later) - CALM_BUCKETS + 1):
        consecutive = all(b[0] - a[0] <= BUCKET_S + 1e-6 for a, b in pairwise(later[i : i + CALM_BUCKETS]))
        if consecutive and all(fine[i : i + CALM_BUCKETS]):
            return later[i][0] - over_s
    return None


def _buckets(requests: pl.DataFrame, origin_s: float | None = None) -> list[tuple[float, float, float]]:
    """Return begin, share that failed and p99 (ms) of each whole bucket with enough requests to tell."""
    if requests.is_empty():
        return []
    first = cast("float", requests["intended_start_s"].min()) if origin_s is None else origin_s
    found: dict[int, list[tuple[bool, float]]] = {}
    for at_s, ok, latency_ms in requests.select("intended_start_s", "ok", "latency_ms").iter_rows():
        found.setdefault(int((at_s - first) // BUCKET_S), []).append((ok, latency_ms))
    return [
        (
            first + number * BUCKET_S,
            1 - sum(ok for ok, _ in each) / len(each),
            nearest_rank(sorted(latency for _, latency in each), 99),
        )
        for number, each in sorted(found.items())
    ]
