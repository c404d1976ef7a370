from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.verdict.stats import percentile_interval, percentile_ranks, wilson


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    # Wilson's formula by hand for p = 1 (low = n / (n + z^2)) and p = 0; the others from its published use:
    # Newcombe 1998, table I, method 3: 81/263, 15/148, 0/20, 1/29.
    [
        (500, 500, 500 / (500 + 1.959964**2), 1),
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_against_published_values(successes: int, count: int, low: float, high: float) -> None:
    assert wilson(successes, count) == pytest.approx((low, high), abs=5e-5)


@given(count=st.integers(1, 10**7), data=st.data())
def test_wilson_holds_the_share(count: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, count))
    low, high = wilson(successes, count)
    assert 0 <= low <= successes / count <= high <= 1
    assert low < high


def exact_ranks(count: int, percentile: int) -> tuple[int, int]:
    """The same ranks by summing the binomial distribution in fractions."""
    p = Fraction(percentile, 100)
    below, found = Fraction(0), list[Fraction]()
    for k in range(count + 1):
        below += math.comb(count, k) * p**k * (1 - p) ** (count - k)
        found.append(below)
    low = max((k + 1 for k in range(count) if found[k] <= Fraction(25, 1000)), default=1)
    high = min(k + 1 for k in range(count + 1) if found[k] >= Fraction(975, 1000))
    return low, min(high, count)


@pytest.mark.parametrize("percentile", [1, 50, 95, 99])
@pytest.mark.parametrize("count", [1, 2, 10, 73, 300])
def test_ranks_against_exact_summation(count: int, percentile: int) -> None:
    assert percentile_ranks(count, percentile) == exact_ranks(count, percentile)


@pytest.mark.parametrize("count", [10_000, 1_000_000])
def test_ranks_of_many_are_near_the_normal_approximation(count: int) -> None:
    low, high = percentile_ranks(count, 99)
    half = 1.96 * math.sqrt(count * 0.99 * 0.01)
    assert low == pytest.approx(0.99 * count - half, abs=2)
    assert high == pytest.approx(0.99 * count + half, abs=2)


def test_the_interval_consists_of_measured_values() -> None:
    low, high = exact_ranks(1000, 50)
    assert percentile_interval([float(i) for i in range(1, 1001)], 50) == (low, high) == (469, 532)
    assert percentile_interval([7.0], 99) == (7.0, 7.0)


@pytest.mark.parametrize(("count", "percentile"), [(0, 50), (10, 0), (10, 100)])
def test_there_is_no_interval_of_nothing(count: int, percentile: float) -> None:
    with pytest.raises(ValueError, match="no interval"):
        percentile_ranks(count, percentile)
