"""Moments as traces write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from functools import lru_cache

_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_FRACTION = re.compile(r"([.,]\d{6})\d+")
_LOG_ZONE = re.compile(r"[+-]\d{4}")


def moment_s(text: str) -> float | None:
    """Return the seconds that `text` names: plain seconds, or a date with or without zone (then UTC).

    None when it names no moment. Digits beyond microseconds are cut off.
    """
    try:
        seconds = float(text)
    except ValueError:
        pass
    else:
        return seconds if math.isfinite(seconds) else None
    try:
        moment = datetime.fromisoformat(_FRACTION.sub(r"\1", text))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def log_moment_s(text: str) -> float | None:
    """Return the unix seconds of a log's `10/Oct/2000:13:55:36 -0700`; None when it is none."""
    # The minute is looked up rather than computed: a log has many lines to one minute.
    if len(text) != 26 or not text[18:20].isdigit():
        return None
    second = int(text[18:20])
    minute_s = _log_minute_s(text[:18], text[21:])
    return None if minute_s is None or second > 60 else minute_s + second


@lru_cache(maxsize=64)
def _log_minute_s(text: str, zone: str) -> float | None:
    if text[2:3] + text[6:7] + text[11:12] + text[14:15] + text[17:18] != "//:::" or text[3:6] not in _MONTHS:
        return None
    if not _LOG_ZONE.fullmatch(zone):
        return None
    try:
        year, month, day = int(text[7:11]), _MONTHS[text[3:6]], int(text[:2])
        moment = datetime(year, month, day, int(text[12:14]), int(text[15:17]), tzinfo=UTC)
    except ValueError:
        return None
    east = int(zone[1:3]) * 3600 + int(zone[3:5]) * 60
    return moment.timestamp() - (east if zone[0] == "+" else -east)
