"""Whole numbers and fractions as the controller's Go code computes them.

The controller counts in int32 and int64, which wrap, and divides in float64. Where a float64 does not fit
an integer, Go leaves the result to the processor; the rule here is that of amd64, on which control planes
run: the smallest integer of the type.
"""

from __future__ import annotations

import math

MAX_INT32 = 2**31 - 1
MIN_INT32 = -(2**31)
MAX_INT64 = 2**63 - 1
MIN_INT64 = -(2**63)


def wrap_int32(value: int) -> int:
    """Return what an int32 holds after `value` was computed in it."""
    return (value + 2**31) % 2**32 - 2**31


def wrap_int64(value: int) -> int:
    """Return what an int64 holds after `value` was computed in it."""
    return (value + 2**63) % 2**64 - 2**63


def divide_whole(dividend: int, divisor: int) -> int:
    """Return the int64 quotient, cut towards zero as Go does (Python's `//` goes towards minus infinity).

    Raises:
        ZeroDivisionError: the divisor is 0; callers of the Go code check before.
    """
    quotient = abs(dividend) // abs(divisor)
    return wrap_int64(quotient if (dividend < 0) == (divisor < 0) else -quotient)


def divide(dividend: float, divisor: float) -> float:
    """Return the IEEE quotient; a division by zero is infinite or not a number instead of an error."""
    if divisor:
        return float(dividend) / float(divisor)
    if not dividend or math.isnan(dividend):
        return math.nan
    return math.copysign(math.inf, dividend) * math.copysign(1.0, divisor)


def float_to_int32(value: float) -> int:
    """Return `int32(value)`: cut towards zero, or the smallest int32 where it does not fit."""
    if not MIN_INT32 - 1 < value < MAX_INT32 + 1:
        return MIN_INT32
    return int(value)


def float_to_int64(value: float) -> int:
    """Return `int64(value)`: cut towards zero, or the smallest int64 where it does not fit."""
    if not -(2.0**63) <= value < 2.0**63:
        return MIN_INT64
    return int(value)


def ceil_to_int32(value: float) -> int:
    """Return `int32(math.Ceil(value))`."""
    return float_to_int32(float(math.ceil(value))) if math.isfinite(value) else MIN_INT32
