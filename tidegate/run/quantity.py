"""The Kubernetes API's ways to write numbers, times and durations."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal, InvalidOperation

_SUFFIXES = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "": Decimal(1),
    "k": Decimal("1e3"),
    "M": Decimal("1e6"),
    "G": Decimal("1e9"),
    "T": Decimal("1e12"),
    "P": Decimal("1e15"),
    "E": Decimal("1e18"),
    "Ki": Decimal(2**10),
    "Mi": Decimal(2**20),
    "Gi": Decimal(2**30),
    "Ti": Decimal(2**40),
    "Pi": Decimal(2**50),
    "Ei": Decimal(2**60),
}
_QUANTITY = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkKMGTPE]?i?)")
_DURATION = re.compile(r"([0-9.]+)(h|ms|us|µs|ns|m|s)")
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def quantity(text: str) -> float:
    """Return the number a quantity such as `250m`, `12Mi` or `1e3` stands for.

    Raises:
        ValueError: it is none (k8s.io/apimachinery, pkg/api/resource/quantity.go has the grammar).
    """
    match = _QUANTITY.fullmatch(text)
    if match is None or match[2] not in _SUFFIXES:
        raise ValueError(f"{text!r} is not a quantity")
    try:
        return float(Decimal(match[1]) * _SUFFIXES[match[2]])
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not a quantity") from error


def duration_s(text: str) -> float:
    """Return the seconds of a Go duration such as `15.021s` or `1m30s`.

    Raises:
        ValueError: it is none.
    """
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration")
    return sum(float(number) * _UNITS_S[unit] for number, unit in parts)


def unix_s(text: str) -> float:
    """Return the unix seconds of an RFC 3339 time.

    Raises:
        ValueError: it is none, or has no time zone.
    """
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return when.timestamp()
