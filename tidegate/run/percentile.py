"""The one definition of a percentile: nearest-rank on sorted values.

The p-th percentile of n values is the value at rank ceil(p/100 * n), counted from 1. It is always a value
that was measured, and at least p percent of the values are at or below it. Ranks are computed in whole
thousandths of a percent, because 99.9/100*1000 in floating point is above 999.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_SCALE = 1000


def rank(count: int, percentile: float) -> int:
    """Return the rank, counted from 1, of `percentile` (0 to 100) among `count` values, at least one."""
    if count < 1 or not 0 <= percentile <= 100:
        raise ValueError(f"no percentile {percentile} of {count} values")
    thousandths = round(percentile * _SCALE)
    return max(1, -(-thousandths * count // (100 * _SCALE)))


def nearest_rank(ordered: Sequence[float], percentile: float) -> float:
    """Return `percentile` of `ordered`, which must be sorted and not empty."""
    return ordered[rank(len(ordered), percentile) - 1]


def percentile_of(column: str, percentile: float) -> pl.Expr:
    """Return the aggregation that gives `percentile` of `column` in each group."""
    thousandths = round(percentile * _SCALE)
    behind = (pl.len().cast(pl.Int64) * thousandths + 100 * _SCALE - 1) // (100 * _SCALE)
    return pl.col(column).sort().get(pl.max_horizontal(behind, pl.lit(1, pl.Int64)) - 1)
