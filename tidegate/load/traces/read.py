"""Read a trace whose format is named, or told from its beginning.

Memory is bounded whatever the file's size: of counts their bins are kept, of a log its seconds, of arrivals
their moments, each up to a limit whose passing is an error that names the line.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

from tidegate.errors import TidegateError
from tidegate.load.traces.clf import CLF, log_seconds
from tidegate.load.traces.lines import numbered_lines, open_plain
from tidegate.load.traces.model import MOST_ARRIVALS, MOST_BINS, Trace, Window, arrivals, counts
from tidegate.load.traces.moments import moment_s
from tidegate.load.traces.prometheus import range_rates

Format = Literal["auto", "counts", "arrivals", "clf", "prometheus"]
MOST_COUNT = 1e12
_COUNT_NAMES = frozenset({"count", "counts", "value", "values", "requests"})


def read_trace(paths: Sequence[Path], form: Format = "auto", window: Window | None = None) -> Trace:
    """Return the trace that stands in `paths`, read as one; what two files have of one bin is added up.

    Args:
        paths: files of one format, plain or gzip.
        form: `counts` (`time,count` lines), `arrivals` (a time a line, more columns ignored), `clf` (Common
            or Combined Log Format), `prometheus` (a range query's JSON answer, requests a second), or `auto`.
        window: the part wanted; all by default.

    Raises:
        TidegateError: a file cannot be read or is not of the format; it names the file and the line.
    """
    if not paths:
        raise TidegateError("no trace was given")
    window, where = window or Window(), ", ".join(map(str, paths))
    forms = {tell_format(path) if form == "auto" else form for path in paths}
    if len(forms) > 1:
        raise TidegateError(f"the files are of different formats: {', '.join(sorted(forms))}", where=where)
    match forms.pop():
        case "arrivals":
            found = array("d")
            for path in paths:
                _gather(path, found)
            return arrivals(found, window, where)
        case "clf":
            return counts(_bins(paths, log_seconds), window, where, width_s=1.0)
        case "prometheus":
            rates = range_rates(paths, MOST_BINS)
            return counts(rates.requests, window, where, width_s=rates.step_s)
        case _:
            return counts(_bins(paths, _counted), window, where)


def tell_format(path: Path) -> Format:
    """Return the format of a file by its beginning.

    Raises:
        TidegateError: it is none that is known.
    """
    with open_plain(path) as file:
        try:
            first = file.read(1)
        except (OSError, EOFError) as error:
            raise TidegateError(f"cannot read the trace: {error}", where=f"{path}:1") from error
    if first in (b"{", b"["):
        return "prometheus"
    for number, text in numbered_lines(path):
        words = _words(text)
        if moment_s(words[0]) is not None:
            return "counts" if len(words) == 2 else "arrivals"
        if CLF.match(text):
            return "clf"
        if number == 1 and len(words) >= 2:
            return "counts" if words[1].lower() in _COUNT_NAMES else "arrivals"
        if number == 1 and words[0].replace("_", "").isalpha():
            return "arrivals"
        raise TidegateError(
            f"neither a time nor a line of a log: {text[:60]!r}", where=f"{path}:{number}", cure=_CURE
        )
    raise TidegateError("the trace is empty", where=str(path))


_CURE = "give time,count lines, a time a line, a Common Log Format log, or a Prometheus range query's JSON"


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _moment(text: str, number: int, path: Path) -> float | None:
    """Return the moment that begins a line; None for a header."""
    found = moment_s(text)
    if found is None and number > 1:
        raise TidegateError(f"{text[:60]!r} is no time", where=f"{path}:{number}", cure=_CURE)
    return found


def _counted(path: Path) -> Iterator[tuple[int, float, float]]:
    for number, text in numbered_lines(path):
        words = _words(text)
        at_s = _moment(words[0], number, path)
        if at_s is None:
            continue
        try:
            count = float(words[1])
        except (IndexError, ValueError):
            count = -1.0
        if not 0 <= count <= MOST_COUNT:
            told = repr(words[1][:60]) if len(words) > 1 else "nothing"
            raise TidegateError(
                f"{told} is no number of requests", where=f"{path}:{number}", cure="give 0 to 1e12"
            )
        yield number, at_s, count


def _bins(
    paths: Sequence[Path], rows: Callable[[Path], Iterator[tuple[int, float, float]]]
) -> dict[float, float]:
    found: dict[float, float] = {}
    for path in paths:
        for number, at_s, count in rows(path):
            found[at_s] = found.get(at_s, 0.0) + count
            if len(found) > MOST_BINS:
                raise TidegateError(
                    f"the trace has more than {MOST_BINS} bins",
                    where=f"{path}:{number}",
                    cure="cut out what is wanted, or use wider bins",
                )
    return found


def _gather(path: Path, found: array[float]) -> None:
    for number, text in numbered_lines(path):
        at_s = _moment(text.split(",", 1)[0].strip(), number, path)
        if at_s is None:
            continue
        found.append(at_s)
        if len(found) > MOST_ARRIVALS:
            raise TidegateError(
                f"the trace has more than {MOST_ARRIVALS} arrivals",
                where=f"{path}:{number}",
                cure="cut out what is wanted, or count them in bins",
            )
