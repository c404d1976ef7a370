"""The figure at the head of the page: the tide of load, and the gate of Ready pods above it."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.report.model import ReportData

WIDTH, HEIGHT, ROOM = 1000.0, 200.0, 12.0
POINTS = 240


@dataclass(frozen=True, slots=True)
class Hero:
    """SVG path data in a box of `WIDTH` by `HEIGHT`; empty where nothing was recorded."""

    area: str
    crest: str
    gate: str
    window: tuple[float, float]
    """Left edge and width of the load window."""
    marks: tuple[tuple[float, str], ...]
    """Where replicas changed, and in which direction."""
    breach: tuple[float, float] | None
    """Left edge and width of the time from the first breach to the last."""


def hero(data: ReportData) -> Hero:
    """Return the figure for `data`."""
    first, last = data.domain_x
    span = last - first

    def px(x: float) -> float:
        return round(min(1.0, max(0.0, (x - first) / span)) * WIDTH, 1)

    crest = _crest(data, px)
    window = tuple(px(t_s - data.origin_s) for t_s in data.load_window_s) if data.load_window_s else None
    reaction = data.reaction
    breach = None
    if reaction.breach is not None and reaction.last_breach_t_s is not None:
        left = px(reaction.breach.t_s - data.origin_s)
        breach = (left, round(px(reaction.last_breach_t_s - data.origin_s) - left, 1))
    return Hero(
        area=f"{crest} L{_last_x(crest)} {HEIGHT} L{_first_x(crest)} {HEIGHT} Z" if crest else "",
        crest=crest,
        gate=_gate(data, px),
        window=(window[0], round(window[1] - window[0], 1)) if window else (0.0, WIDTH),
        marks=tuple((px(one.t_s - data.origin_s), one.direction) for one in data.scale_events),
        breach=breach,
    )


def _crest(data: ReportData, px: object) -> str:
    load = data.series.load
    if load is None or len(load.x) < 2:
        return ""
    stretch = max(1, len(load.x) // POINTS)
    points: list[tuple[float, float]] = []
    for begin in range(0, len(load.x), stretch):
        rates = load.offered[begin : begin + stretch]
        points.append((load.x[begin], sum(rates) / len(rates)))
    top = max(rate for _, rate in points) or 1.0
    assert callable(px)
    return "M" + " L".join(
        f"{px(x)} {round(HEIGHT - rate / top * (HEIGHT - 5 * ROOM), 1)}" for x, rate in points
    )
