from __future__ import annotations

import math

import pytest

from tidegate.simulate.hpa.arithmetic import (
    MIN_INT32,
    MIN_INT64,
    ceil_to_int32,
    divide,
    divide_whole,
    float_to_int32,
    float_to_int64,
    wrap_int32,
    wrap_int64,
)

# What int32(x) and int64(x) give in Go 1.26 on amd64.
CONVERSIONS = [
    (1e10, MIN_INT32, 10_000_000_000),
    (-1e10, MIN_INT32, -10_000_000_000),
    (math.nan, MIN_INT32, MIN_INT64),
    (math.inf, MIN_INT32, MIN_INT64),
    (-math.inf, MIN_INT32, MIN_INT64),
    (2147483647.5, 2147483647, 2147483647),
    (2147483648.0, MIN_INT32, 2147483648),
    (1e30, MIN_INT32, MIN_INT64),
    (-1.9, -1, -1),
]


@pytest.mark.parametrize(("value", "narrow", "wide"), CONVERSIONS)
def test_floats_become_integers_as_in_go(value: float, narrow: int, wide: int) -> None:
    assert (float_to_int32(value), float_to_int64(value)) == (narrow, wide)


def test_ceil_of_what_does_not_fit_is_the_smallest() -> None:
    assert ceil_to_int32(2147483646.5) == 2147483647
    assert ceil_to_int32(2147483647.5) == MIN_INT32
    assert ceil_to_int32(math.nan) == MIN_INT32


def test_integers_wrap() -> None:
    assert wrap_int32(2**31) == MIN_INT32
    assert wrap_int64(2**63 + 5) == MIN_INT64 + 5
    assert wrap_int32(-(2**31) - 1) == 2**31 - 1


def test_whole_division_cuts_towards_zero() -> None:
    assert [divide_whole(7, 2), divide_whole(-7, 2), divide_whole(7, -2), divide_whole(-7, -2)] == [
        3,
        -3,
        -3,
        3,
    ]


def test_division_by_zero_is_ieee() -> None:
    assert divide(1, 0.0) == math.inf
    assert divide(-1, 0.0) == -math.inf
    assert math.isnan(divide(0, 0.0))


def test_float64_rounds_as_the_controller_does() -> None:
    """A utilization of 56 % against 50 % for 25 pods is 29, because 1.12 * 25 is above 28 in float64."""
    assert ceil_to_int32(divide(56, 50) * 25) == 29
