"""Numbers and times in words, the same wherever the page shows them."""

from __future__ import annotations

import math
from datetime import UTC, datetime

NONE = "\u2013"
"""A dash, for what is not known."""
_GAP = "\u00a0"
"""Between a number and its unit, so that no line breaks there."""


def whole(value: float | None) -> str:
    """Return a whole number with thousands apart."""
    return NONE if value is None else f"{value:,.0f}"


def number(value: float | None, digits: int = 3) -> str:
    """Return about `digits` significant figures, thousands apart, without an exponent."""
    if value is None:
        return NONE
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(decimals, 6)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def seconds(value: float | None) -> str:
    """Return a duration: `8.4 s`, `31 ms`, `3 min 20 s`, `1 h 5 min`."""
    if value is None:
        return NONE
    if value == 0:
        return f"0{_GAP}s"
    if abs(value) < 0.9995:
        return f"{value * 1000:.0f}{_GAP}ms"
    if abs(value) < 99.95:
        return f"{value:.1f}{_GAP}s"
    if abs(value) < 119.5:
        return f"{value:.0f}{_GAP}s"
    total = round(value)
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    if hours:
        return f"{hours}{_GAP}h {minutes}{_GAP}min" if minutes else f"{hours}{_GAP}h"
    return f"{minutes}{_GAP}min {rest}{_GAP}s" if rest else f"{minutes}{_GAP}min"


def milliseconds(value: float | None) -> str:
    """Return a latency: `840 ms`, `2.35 s`."""
    if value is None:
        return NONE
    if abs(value) >= 9_999.5:
        return f"{value / 1000:,.1f}{_GAP}s"
    if abs(value) >= 999.5:
        return f"{value / 1000:.2f}{_GAP}s"
    return f"{value:.0f}{_GAP}ms" if value >= 9.95 else f"{value:.1f}{_GAP}ms"


def percent(value: float | None) -> str:
    """Return a share with three decimals, cut and not rounded: 99.9996 % must never read 100 %."""
    if value is None:
        return NONE
    cut = math.floor(value * 1000 + 1e-9) / 1000
    return f"{cut:.3f}".rstrip("0").rstrip(".") + f"{_GAP}%"


def offset(x: float) -> str:
    """Return seconds from the start of the load as a clock: `0:41`, `-0:20`, `1:02:05`."""
    total = math.floor(abs(x))
    sign = "\u2212" if x < 0 and total else ""
    hours, minutes, rest = total // 3600, total % 3600 // 60, total % 60
    return f"{sign}{hours}:{minutes:02}:{rest:02}" if hours else f"{sign}{minutes}:{rest:02}"


def date(unix_s: float) -> str:
    """Return a UTC date and time of day."""
    moment = datetime.fromtimestamp(unix_s, tz=UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M:%S} UTC"


def plural(count: int, one: str, many: str = "") -> str:
    """Return the count with its noun."""
    return f"{whole(count)} {one if count == 1 else many or one + 's'}"


def unit_value(value: float | None, unit: str) -> str:
    """Return a check's figure with its unit, in the form the page uses for that unit."""
    if value is None:
        return NONE
    if unit in ("ms", "milliseconds"):
        return milliseconds(value)
    if unit in ("s", "seconds"):
        return seconds(value)
    if unit in ("%", "percent"):
        return percent(value)
    return f"{number(value, 4)}{_GAP}{unit}".strip()
