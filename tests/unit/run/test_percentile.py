from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.run.percentile import nearest_rank, percentile_of, rank

VALUES = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=300)
PERCENTILES = st.integers(0, 100_000).map(lambda thousandths: thousandths / 1000)


@pytest.mark.parametrize(
    ("count", "percentile", "expected"),
    [
        (1, 99, 1),
        (2, 50, 1),
        (3, 50, 2),
        (100, 99, 99),
        (101, 99, 100),
        (1000, 99.9, 999),
        (10, 0, 1),
        (10, 100, 10),
    ],
)
def test_known_ranks(count: int, percentile: float, expected: int) -> None:
    assert rank(count, percentile) == expected


@given(values=VALUES, percentile=PERCENTILES)
def test_it_is_the_smallest_value_with_enough_at_or_below(values: list[float], percentile: float) -> None:
    found = nearest_rank(sorted(values), percentile)
    thousandths = round(percentile * 1000)

    def at_or_below(limit: float) -> int:
        return sum(value <= limit for value in values) * 100_000

    assert found in values
    assert at_or_below(found) >= thousandths * len(values)
    smaller = [value for value in values if value < found]
    assert not smaller or at_or_below(max(smaller)) < max(thousandths * len(values), 1)


@given(values=VALUES, percentile=PERCENTILES)
def test_polars_computes_the_same(values: list[float], percentile: float) -> None:
    frame = pl.DataFrame({"x": values, "g": ["a"] * len(values)})
    grouped = frame.group_by("g").agg(p=percentile_of("x", percentile))
    assert grouped["p"].to_list() == [nearest_rank(sorted(values), percentile)]


@pytest.mark.parametrize(("count", "percentile"), [(0, 50), (1, -1), (1, 101)])
def test_there_is_none_of_nothing(count: int, percentile: float) -> None:
    with pytest.raises(ValueError, match="no percentile"):
        rank(count, percentile)
