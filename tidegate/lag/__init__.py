"""Where the time of a scale-out goes, from the sample that caused it to a new pod's first request.

And that of a node, from the pod that nothing could hold to the pod that it holds.
"""

from tidegate.lag.breakdown import breakdown
from tidegate.lag.event import DOWN_MARKS, DOWN_PARTS, UP_MARKS, UP_PARTS, PodPath, ScaleEvent
from tidegate.lag.nodes import NODE_MARKS, NODE_PARTS, NodePath, node_paths
from tidegate.lag.table import PartSummary, summarize, table

__all__ = [
    "DOWN_MARKS",
    "DOWN_PARTS",
    "NODE_MARKS",
    "NODE_PARTS",
    "UP_MARKS",
    "UP_PARTS",
    "NodePath",
    "PartSummary",
    "PodPath",
    "ScaleEvent",
    "breakdown",
    "node_paths",
    "summarize",
    "table",
]
