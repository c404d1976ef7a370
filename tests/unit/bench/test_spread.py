from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.spread import Spread, figure, percentile, percentiles

_VALUES = st.lists(st.floats(min_value=-1e6, max_value=1e6), min_size=1)


@given(_VALUES, st.floats(min_value=0, max_value=100))
def test_a_percentile_is_a_value_that_enough_do_not_exceed(values: list[float], percent: float) -> None:
    found = percentile(values, percent)

    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100


def test_the_nearest_rank_of_a_hundred_values() -> None:
    assert percentiles([float(number) for number in range(100, 0, -1)]) == {"p50": 50, "p95": 95, "p99": 99}


def test_a_percentile_of_nothing_is_an_error_and_percentiles_of_nothing_are_none() -> None:
    with pytest.raises(ValueError, match="at least one"):
        percentile([], 50)
    assert percentiles([]) == {}


def test_a_percent_beyond_a_hundred_is_an_error() -> None:
    with pytest.raises(ValueError, match="0 to 100"):
        percentile([1.0], 101)


@given(_VALUES)
def test_a_spread_encloses_its_median(values: list[float]) -> None:
    spread = Spread.of(values)

    assert spread is not None
    assert spread.low <= spread.median <= spread.high
    assert (spread.low, spread.high, spread.count) == (min(values), max(values), len(values))


def test_no_values_have_no_spread() -> None:
    assert Spread.of([]) is None


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.0, None, "0"),
        (0.01234, None, "0.0123"),
        (1.5, None, "1.50"),
        (-2.5, None, "-2.50"),
        (12_345.6, None, "12,346"),
        (0.75, 2, "0.75"),
        (7.0, 0, "7"),
    ],
)
def test_a_figure_has_three_digits_that_count(value: float, digits: int | None, text: str) -> None:
    assert figure(value, digits) == text


def test_a_spread_is_shown_with_its_range() -> None:
    spread = Spread.of([3.0, 1.0, 2.0])

    assert spread is not None
    assert spread.text() == "2.00 (1.00 to 3.00)"
