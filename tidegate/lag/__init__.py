"""Where the time of a scale-out goes, from the sample that caused it to a new pod's first request."""

from tidegate.lag.breakdown import breakdown
from tidegate.lag.event import DOWN_MARKS, DOWN_PARTS, UP_MARKS, UP_PARTS, PodPath, ScaleEvent
from tidegate.lag.table import PartSummary, summarize, table

__all__ = [
    "DOWN_MARKS",
    "DOWN_PARTS",
    "UP_MARKS",
    "UP_PARTS",
    "PartSummary",
    "PodPath",
    "ScaleEvent",
    "breakdown",
    "summarize",
    "table",
]
