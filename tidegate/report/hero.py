"""The figure at the head of the page: the tide of load, and the gate of Ready pods over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tidegate.report.model import ReportData

WIDTH, HEIGHT = 1000.0, 200.0
CREST_SHARE, GATE_SHARE = 0.66, 0.9
"""Share of the height that the most load, and the most pods, reach."""
POINTS = 240

Px = Callable[[float], float]
Box = tuple[float, float]
"""Left edge and width."""


@dataclass(frozen=True, slots=True)
class Hero:
    """SVG path data in a box of `WIDTH` by `HEIGHT`; empty where nothing was recorded."""

    area: str
    crest: str
    gate: str
    failures: tuple[float, ...]
    """Where requests failed."""
    window: Box
    breach: Box | None
    """From the first breach to the last."""


def hero(data: ReportData) -> Hero:
    """Return the figure for `data`."""
    first, last = data.domain_x

    def px(x: float) -> float:
        return round(min(1.0, max(0.0, (x - first) / (last - first))) * WIDTH, 1)

    def box(from_s: float, to_s: float) -> Box:
        left = px(from_s - data.origin_s)
        return left, round(px(to_s - data.origin_s) - left, 1)

    points = _crest(data, px)
    crest = "M" + " L".join(f"{x} {y}" for x, y in points) if points else ""
    begun, ended = data.reaction.breach, data.reaction.last_breach_t_s
    return Hero(
        area=f"{crest} L{points[-1][0]} {HEIGHT} L{points[0][0]} {HEIGHT} Z" if points else "",
        crest=crest,
        gate=_gate(data, px),
        failures=_failures(data, px),
        window=box(*data.load_window_s) if data.load_window_s else (0.0, WIDTH),
        breach=box(begun.t_s, ended) if begun is not None and ended is not None else None,
    )


def _crest(data: ReportData, px: Px) -> list[tuple[float, float]]:
    load = data.series.load
    if load is None or len(load.x) < 2:
        return []
    stretch = -(-len(load.x) // POINTS)
    rates = [
        (load.x[begin], sum(load.offered[begin : begin + stretch]) / len(load.x[begin : begin + stretch]))
        for begin in range(0, len(load.x), stretch)
    ]
    top = max(rate for _, rate in rates) or 1.0
    return [(px(x), round(HEIGHT * (1 - CREST_SHARE * rate / top), 1)) for x, rate in rates]


def _failures(data: ReportData, px: Px) -> tuple[float, ...]:
    load = data.series.load
    at = zip(load.x, load.failed_count, strict=True) if load else ()
    return tuple(dict.fromkeys(px(x) for x, count in at if count))


def _gate(data: ReportData, px: Px) -> str:
    ready = data.series.ready
    known = [(x, y) for x, y in zip(ready.x, ready.y, strict=True) if y is not None] if ready else []
    if not known:
        return ""
    top = max(y for _, y in known) or 1.0
    path, before = "", 0.0
    for x, y in known:
        at = round(HEIGHT * (1 - GATE_SHARE * y / top), 1)
        path += f"M{px(x)} {at}" if not path else f" L{px(x)} {before} L{px(x)} {at}"
        before = at
    return path
