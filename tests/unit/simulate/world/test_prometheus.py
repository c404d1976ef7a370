"""`rate` by hand, for what Prometheus does at the ends of a window."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.simulate.world.prometheus import Series, rate


def test_samples_at_both_ends_are_extrapolated_to_the_window() -> None:
    """Scrapes at 5, 20, 35, 50 s of a counter that rises by 2 a second: 45 s seen, 60 s told."""
    samples = [(t_s, 100.0 + 2 * t_s) for t_s in (5.0, 20.0, 35.0, 50.0)]
    assert rate(samples, 60.0, 60.0) == pytest.approx(2.0)


def test_a_missing_end_is_extrapolated_by_half_a_gap() -> None:
    """Seen 10 to 40 s, window 0 to 60: the end is 20 s away, more than 1.1 gaps of 15 s, so 7.5 s count."""
    samples = [(t_s, 1000.0 + 2 * t_s) for t_s in (10.0, 25.0, 40.0)]
    assert rate(samples, 60.0, 60.0) == pytest.approx(2.0 * (30 + 10 + 7.5) / 60)


def test_a_counter_is_not_taken_below_zero() -> None:
    """It was 3 at 10 s and rises by 0.6 a second: 5 s before, it began."""
    samples = [(10.0, 3.0), (25.0, 12.0), (40.0, 21.0)]
    assert rate(samples, 41.0, 45.0) == pytest.approx(18 * (30 + 5 + 1) / 30 / 45)


def test_a_reset_is_added_back() -> None:
    samples = [(0.5, 100.0), (15.5, 130.0), (30.5, 10.0)]
    assert rate(samples, 31.0, 31.0) == pytest.approx(40 * (30 + 0.5 + 0.5) / 30 / 31)


def test_the_window_is_open_to_the_left_and_one_sample_is_none() -> None:
    assert rate([(0.0, 1.0), (15.0, 2.0)], 15.0, 15.0) is None
    assert rate([(0.0, 1.0), (15.0, 2.0)], 15.0, 15.1) is not None


@given(st.floats(0.1, 100), st.floats(0, 1), st.integers(2, 20))
def test_a_steady_rate_is_told_as_it_is(rps: float, phase: float, scrapes: int) -> None:
    """With scrapes close to both ends, whatever their phase."""
    samples = [
        (15.0 * (number + phase), 1e6 + rps * 15.0 * (number + phase)) for number in range(scrapes + 2)
    ]
    assert rate(samples, 15.0 * (scrapes + 1), 15.0 * (scrapes + 1)) == pytest.approx(rps, rel=1e-6)


def test_a_series_forgets_what_no_window_reaches() -> None:
    series = Series(60.0)
    for number in range(100):
        series.scraped(15.0 * number, 30.0 * number)
    assert series.rate(15.0 * 99) == pytest.approx(2.0)
    assert series.rate(15.0 * 99 + 60) is None
