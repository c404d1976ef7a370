"""Kubernetes quantities, exact, in the two ways the autoscaler reads them.

`tidegate.run.quantity` reads what a cluster reports, as a float, which is enough for a plot. Here every
digit counts: the controller rounds to whole milli-units away from zero, and reads a tolerance as a number
times a power of ten (k8s.io/apimachinery v0.36.3, pkg/api/resource/quantity.go:277-395, 480-500, 828;
math.go:140-199; scale_int.go:43).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from tidegate.simulate.hpa.arithmetic import (
    MAX_INT64,
    MIN_INT64,
    divide_whole,
    wrap_int64,
)

_GRAMMAR = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)")
_EXPONENT = re.compile(r"[eE]([+-]?[0-9]+)")
_TENS = {"": 0, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_TWOS = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_NANO = -9
_MILLI = -3
_LONGEST = 256
_WIDEST_EXPONENT = 400
"""Beyond it the Go code spends memory on digits; no quantity that means anything comes near."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """`unscaled` times ten to the power of `exponent`."""

    unscaled: int
    exponent: int
    small: bool
    """Held as one int64, the form of nearly all; the other form overflows differently."""

    def milli(self) -> int:
        """Return the value in whole thousandths, rounded away from zero: what the controller computes with.

        A value too large for an int64 of thousandths gives what it gives upstream: the wrapped number, or 0.
        """
        shift = self.exponent - _MILLI
        if self.small:
            if shift >= 0:
                return _scaled_up(self.unscaled, shift)
            return _away_from_zero(self.unscaled, 10**-shift)
        if shift >= 0:
            return wrap_int64(wrap_int64(self.unscaled) * 10**shift)
        divisor = 10**-shift
        if self.unscaled < MAX_INT64:  # the short way, which wraps first: so do large negative numbers
            unscaled = wrap_int64(self.unscaled)
            whole = divide_whole(unscaled, divisor)
            return whole + 1 if whole * divisor != unscaled else whole
        return wrap_int64(-(-self.unscaled // divisor))

    def approximate(self) -> float:
        """Return the value as float64, by the product the controller uses for tolerances."""
        if not self.exponent:
            return float(self.unscaled)
        return float(self.unscaled) * _power_of_ten(self.exponent)


def parse_quantity(text: str) -> Quantity:
    """Return the quantity that `text`, for example `250m`, `12Mi` or `1e3`, stands for.

    Raises:
        ValueError: it is none, has no digit, is longer than 256 characters, or its exponent is beyond 400.
    """
    match = _GRAMMAR.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None or not (match[2] or match[3]):
        raise ValueError(f"{text[:40]!r} is not a quantity such as 250m, 12Mi or 1e3")
    sign, whole, fraction, suffix = match[1], match[2].lstrip("0"), match[3] or "", match[4]
    exponent, twos = _suffix(suffix, text)
    digits = whole + fraction
    unscaled = int(digits or "0") * 2**twos
    shown = len(whole or "0") + len(fraction)
    scale = exponent - len(fraction)
    room = 18 - shown
    if twos:
        room = -1 if fraction else 14 - shown - int(twos * 3 / 10)
    negative = sign == "-"
    if room >= 0 and scale >= _NANO and unscaled <= MAX_INT64:
        return Quantity(-unscaled if negative else unscaled, scale, small=True)
    if unscaled:  # in billionths, rounded up: some of a resource is never none of it
        places, scale = scale - _NANO, _NANO
        unscaled = unscaled * 10**places if places >= 0 else -(-unscaled // 10**-places)
    if twos and unscaled > MAX_INT64 * 10**-_NANO:
        unscaled, scale = MAX_INT64, 0
    return Quantity(-unscaled if negative else unscaled, scale, small=False)


def _suffix(suffix: str, text: str) -> tuple[int, int]:
    """Return the powers of ten and of two that a suffix stands for."""
    if suffix in _TENS:
        return _TENS[suffix], 0
    if suffix in _TWOS:
        return 0, _TWOS[suffix]
    match = _EXPONENT.fullmatch(suffix)
    if match is None or abs(int(match[1])) > _WIDEST_EXPONENT:
        raise ValueError(f"{text[:40]!r} has the suffix {suffix[:40]!r}, which no quantity has")
    return int(match[1]), 0


def _scaled_up(value: int, places: int) -> int:
    """Return the small form times ten to the power of `places` (math.go:140)."""
    if places in {0, 1, 2, 3, 6, 9}:
        return wrap_int64(value * 10**places)
    scaled = value * 10**places
    return scaled if MIN_INT64 <= scaled <= MAX_INT64 else 0


def _away_from_zero(value: int, divisor: int) -> int:
    quotient = divide_whole(value, divisor)
    if quotient * divisor == value:
        return quotient
    return quotient + (1 if value > 0 else -1)


def _power_of_ten(exponent: int) -> float:
    if exponent > 308:
        return math.inf
    return float(f"1e{exponent}")
