"""Read a trace of arrivals, in bounded memory, with the line of each error.

Known forms, by their first line:

- `2020-01-31 10:00,123`: requests of the bin that begins there, no header;
- a header of a time and `value`, `count` or `requests`: the same with seconds or another width of bins;
- a header whose first column is a time and whose second is none of these: one arrival a line.

A time is a date as above, with seconds and fractions if need be, or plain seconds. The width of the bins is
the least distance between two of them. A bin that occurs twice is summed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.simulate.lines import Line, bounded_lines

_LONGEST = 4096
_MOST_LINES = 2_000_000
_MOST_COUNT = 1e12
_LONGEST_TRACE_S = 400 * 86_400.0
_COUNTS = frozenset({"value", "count", "requests"})
_DEFAULT_WIDTH_S = 60.0


@dataclass(frozen=True, slots=True)
class Bin:
    """Requests that arrive from `start_s` on, within `width_s`; a width of 0 is one moment."""

    start_s: float
    width_s: float
    count: float


def read_trace(paths: Sequence[Path]) -> list[Bin]:
    """Return the bins of all files, in the order of time, beginning at 0 s.

    Raises:
        TidegateError: a file cannot be read, or a line is none of the known forms; it names the line.
    """
    counts: dict[float, float] = {}
    moments: list[float] = []
    for path in paths:
        try:
            with path.open("rb") as file:
                for moment_s, count in _rows(bounded_lines(file, _LONGEST), path):
                    if count is None:
                        moments.append(moment_s)
                    else:
                        counts[moment_s] = counts.get(moment_s, 0.0) + count
        except OSError as error:
            raise TidegateError(f"cannot read the trace: {error.strerror}", where=str(path)) from error
    if counts and moments:
        raise TidegateError("some files are counts and others single arrivals", cure="simulate them apart")
    if not counts and not moments:
        raise TidegateError("the trace has no arrivals", where=", ".join(map(str, paths)))
    if moments:
        moments.sort()
        _require_short(moments, paths)
        return [Bin(moment_s - moments[0], 0.0, 1.0) for moment_s in moments]
    starts = sorted(counts)
    _require_short(starts, paths)
    width_s = min((after - before for before, after in pairwise(starts)), default=_DEFAULT_WIDTH_S)
    return [Bin(start_s - starts[0], width_s, counts[start_s]) for start_s in starts]


def _require_short(moments_s: list[float], paths: Sequence[Path]) -> None:
    days = (moments_s[-1] - moments_s[0]) / 86_400
    if moments_s[-1] - moments_s[0] > _LONGEST_TRACE_S:
        raise TidegateError(
            f"the trace spans {days:.0f} days, more than 400",
            where=", ".join(map(str, paths)),
            cure="are its times in seconds?",
        )


def _rows(lines: Iterator[Line], path: Path) -> Iterator[tuple[float, float | None]]:
    counted = True
    for line in lines:
        where = f"{path}:{line.number}"
        if line.number > _MOST_LINES:
            raise TidegateError(
                f"the trace has more than {_MOST_LINES} lines", where=where, cure="thin it out"
            )
        if not line.whole:
            raise TidegateError(f"the line has {line.length} bytes", where=where, cure="give a CSV file")
        words = [word.strip() for word in line.data.decode("utf-8", errors="replace").split(",")]
        if not any(words):
            continue
        moment_s = _moment_s(words[0])
        if moment_s is None and line.number == 1 and len(words) > 1:
            counted = words[1].lower() in _COUNTS
            continue
        if moment_s is None:
            raise TidegateError(
                f"{words[0][:60]!r} is no time", where=where, cure="see `tidegate simulate --help`"
            )
        yield moment_s, _count(words, where) if counted else None


def _count(words: list[str], where: str) -> float:
    try:
        count = float(words[1])
    except (IndexError, ValueError):
        count = -1.0
    if not 0 <= count <= _MOST_COUNT:
        told = words[1][:60] if len(words) > 1 else ""
        raise TidegateError(f"{told!r} is no number of requests", where=where, cure="give 0 to 1e12")
    return count


def _moment_s(text: str) -> float | None:
    try:
        return float(text) if abs(float(text)) < float("inf") else None
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text[:26])
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
