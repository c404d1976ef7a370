"""Verdicts and lag breakdowns for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.lag import DOWN_PARTS, NODE_PARTS, UP_PARTS, NodePath, ScaleEvent, summarize
from tidegate.lag.event import Direction
from tidegate.models import Check, Outcome, Verdict

_STYLE = {Outcome.HELD: "bold green", Outcome.NOT_HELD: "bold red", Outcome.COULD_NOT_TELL: "bold yellow"}
_WORDS = {Outcome.HELD: "held", Outcome.NOT_HELD: "not held", Outcome.COULD_NOT_TELL: "could not tell"}


def number(value: float | None) -> str:
    """A figure with at most four significant digits, or a dash."""
    return "-" if value is None else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def verdict_view(verdict: Verdict) -> RenderableType:
    """The checks as a table, the outcome and its reasons below."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("check", "measured", "95 % interval", "threshold", "unit", "outcome"):
        table.add_column(column, justify="right" if column in ("measured", "threshold") else "left")
    for check in verdict.checks:
        table.add_row(*_row(check))
    outcome = Text(f"Verdict: {_WORDS[verdict.outcome].upper()}", style=_STYLE[verdict.outcome])
    return Group(table, outcome, *(Text(f"  {reason}") for reason in verdict.reasons))


def _row(check: Check) -> tuple[str | Text, ...]:
    spread = "" if check.spread is None else f"{number(check.spread[0])} to {number(check.spread[1])}"
    outcome = Text(_WORDS[check.outcome], style=_STYLE[check.outcome])
    return check.name, number(check.measured), spread, number(check.threshold), check.unit, outcome


def lag_view(events: Sequence[ScaleEvent]) -> RenderableType:
    """One row an event, on the path of the pod that came last; below it, the parts over all pods."""
    if not events:
        return Text("No scale event in this Run.")
    shown: list[RenderableType] = []
    directions: tuple[tuple[Direction, tuple[str, ...]], ...] = (("up", UP_PARTS), ("down", DOWN_PARTS))
    for direction, parts in directions:
        table = Table(
            title=f"Scaling {direction}, seconds", box=None, header_style="dim", title_justify="left"
        )
        table.add_column("decided")
        table.add_column("replicas")
        for part in (*parts, "total"):
            table.add_column(part, justify="right")
        for event in events:
            if event.direction == direction:
                table.add_row(*_event_row(event, parts))
        for row in summarize(events, direction):
            if row.part == "total":
                table.caption = (
                    f"{row.count} pods: median {row.median_s:.1f} s, p95 {row.p95_s:.1f} s, "
                    f"longest {row.max_s:.1f} s"
                )
        if table.row_count:
            shown.append(table)
    return Group(*shown)


def nodes_view(paths: Sequence[NodePath]) -> RenderableType:
    """One row a node that was added."""
    table = Table(title="Nodes added, seconds", box=None, header_style="dim", title_justify="left")
    for column in ("node", "group"):
        table.add_column(column)
    for part in (*NODE_PARTS, "total"):
        table.add_column(part, justify="right")
    for path in paths:
        parts = [f"{path.parts_s[part]:.2f}" if part in path.parts_s else "-" for part in NODE_PARTS]
        total = f"{path.total_s:.2f}" if path.total_s is not None else "incomplete"
        table.add_row(path.node, path.group, *parts, total)
    return table


def _event_row(event: ScaleEvent, parts: tuple[str, ...]) -> list[str]:
    decided = datetime.fromtimestamp(event.t_s, tz=UTC).strftime("%H:%M:%S")
    seconds = [f"{event.parts_s[part]:.2f}" if part in event.parts_s else "-" for part in parts]
    total = f"{event.total_s:.2f}" if event.total_s is not None else "incomplete"
    return [decided, f"{event.from_replicas} → {event.to_replicas}", *seconds, total]
