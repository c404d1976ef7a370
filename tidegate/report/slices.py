"""The run in a dozen rows: the charts' content for those who cannot see them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tidegate.report.model import XY, Series, Slice

ROWS = 12


def slices(series: Series, domain_x: tuple[float, float]) -> tuple[Slice, ...]:
    """Return the domain cut into `ROWS` equal parts, each with what happened in it.

    Latency is the highest bucket's p95, CPU the highest mean, replicas those at the part's end.
    """
    width = (domain_x[1] - domain_x[0]) / ROWS
    edges = [domain_x[0] + width * i for i in range(ROWS + 1)]
    return tuple(_slice(series, from_x, to_x) for from_x, to_x in pairwise(edges))


def _slice(series: Series, from_x: float, to_x: float) -> Slice:
    load = series.load
    rows = _within(load.x, from_x, to_x) if load else []
    p95: dict[str, float | None] = {}
    for name, group in (series.latency.groups if series.latency else {}).items():
        p95[name] = max((group.p95[i] for i in _within(group.x, from_x, to_x)), default=None)
    return Slice(
        from_x=from_x,
        to_x=to_x,
        offered_rps=sum(load.offered[i] for i in rows) / len(rows) if load and rows else None,
        served_rps=sum(load.served[i] for i in rows) / len(rows) if load and rows else None,
        failed=sum(load.failed_count[i] for i in rows) if load else 0,
        p95_ms=p95,
        desired=_at(series.desired, to_x),
        ready=_at(series.ready, to_x),
        cpu_percent=_highest(series.cpu.mean, from_x, to_x) if series.cpu else None,
    )


def _within(x: Sequence[float], from_x: float, to_x: float) -> list[int]:
    return [i for i, value in enumerate(x) if from_x <= value < to_x]


def _at(line: XY | None, x: float) -> int | None:
    if line is None:
        return None
    known = [y for at, y in zip(line.x, line.y, strict=True) if at <= x and y is not None]
    return round(known[-1]) if known else None


def _highest(line: XY, from_x: float, to_x: float) -> float | None:
    values = [line.y[i] for i in _within(line.x, from_x, to_x)]
    return max((value for value in values if value is not None), default=None)
