"""The breakdown as rows for a table, and its summary over events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tidegate.lag.event import DOWN_PARTS, UP_PARTS, Direction, ScaleEvent
from tidegate.run import nearest_rank

TOTAL = "total"


@dataclass(frozen=True, slots=True)
class PartSummary:
    """One part over all complete paths of pods, seconds; percentiles are nearest-rank."""

    part: str
    count: int
    median_s: float
    p95_s: float
    max_s: float


def table(events: Iterable[ScaleEvent]) -> list[dict[str, str | int | float | None]]:
    """Return one row a pod: event, pod, node, `total_s`, `<part>_s`, and what is `missing`."""
    rows: list[dict[str, str | int | float | None]] = []
    for event in events:
        for path in event.paths:
            row: dict[str, str | int | float | None] = {
                "decided_s": event.t_s,
                "direction": event.direction,
                "from": event.from_replicas,
                "to": event.to_replicas,
                "pod": path.pod,
                "node": path.node,
                "total_s": path.total_s,
            }
            parts = path.parts_s
            for part in UP_PARTS if event.direction == "up" else DOWN_PARTS:
                row[f"{part}_s"] = parts.get(part)
            row["missing"] = ", ".join(path.missing)
            rows.append(row)
    return rows


def summarize(events: Iterable[ScaleEvent], direction: Direction = "up") -> list[PartSummary]:
    """Return median, p95 and maximum of each part, then of `total`, over all complete paths of pods.

    Only complete paths count, so that every row rests on the same pods.
    """
    paths = [
        path for event in events if event.direction == direction for path in event.paths if path.complete
    ]
    if not paths:
        return []
    found: list[PartSummary] = []
    for part in (*(UP_PARTS if direction == "up" else DOWN_PARTS), TOTAL):
        values = sorted(
            seconds
            for path in paths
            if (seconds := path.total_s if part == TOTAL else path.parts_s[part]) is not None
        )
        found.append(
            PartSummary(part, len(values), nearest_rank(values, 50), nearest_rank(values, 95), values[-1])
        )
    return found
