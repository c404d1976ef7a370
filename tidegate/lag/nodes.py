"""Where the time goes until a node that was added carries its first pod.

The way begins with a pod that nothing could hold and ends with a Ready pod on the new node, so it is what a
scale-out waits when there is no room. Marks up to `joining` are the node's own word, in labels that
`tidegate.nodes` gives it: both clocks are those of the machine that records.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tidegate.lag.event import raised
from tidegate.models.node_group import BEGUN_LABEL, GROUP_LABEL, JOINING_LABEL
from tidegate.run import ClusterRecord, PodLife, RunReader, pod_lives
from tidegate.run.objects import condition, dig, text

NODE_MARKS = ("pending", "asked", "begun", "joining", "joined", "ready", "pod_scheduled", "pod_ready")
"""What is passed: no node could hold a pod, the autoscaler asked for a node, the making of it began, its
container stood and was told to join, its Node object was there, it was Ready, the first pod was put on it,
that pod was Ready."""

NODE_PARTS = ("decision", "ask", "provision", "join", "ready", "schedule", "start")
"""Names of the parts between neighbouring `NODE_MARKS`."""

_SCALED_UP = re.compile(r"\{(\S+) \d+->\d+")
"""Each group in the autoscaler's event: `pod triggered scale-up: [{small 0->1 (max: 3)}]`."""


@dataclass(frozen=True, slots=True)
class NodePath:
    """One added node's way."""

    node: str
    group: str
    marks_s: tuple[float | None, ...]
    """Unix seconds of each of `NODE_MARKS`, never decreasing; None for one that was not seen."""
    first_pod: str | None

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the marks that were not seen."""
        return tuple(name for name, at_s in zip(NODE_MARKS, self.marks_s, strict=True) if at_s is None)

    @property
    def parts_s(self) -> dict[str, float]:
        """Seconds of each part whose two marks were both seen."""
        return {
            part: after_s - before_s
            for part, (before_s, after_s) in zip(NODE_PARTS, pairwise(self.marks_s), strict=True)
            if before_s is not None and after_s is not None
        }

    @property
    def total_s(self) -> float | None:
        """Seconds from the first mark to the last; None unless every mark was seen."""
        first_s, last_s = self.marks_s[0], self.marks_s[-1]
        if self.missing or first_s is None or last_s is None:
            return None
        return last_s - first_s

    @property
    def node_ready_s(self) -> float | None:
        """Seconds from the autoscaler's asking until the node was Ready; None unless both were seen."""
        asked_s, ready_s = self.marks_s[NODE_MARKS.index("asked")], self.marks_s[NODE_MARKS.index("ready")]
        return None if asked_s is None or ready_s is None else ready_s - asked_s


@dataclass(slots=True)
class _Node:
    name: str
    group: str
    joined_s: float
    begun_s: float | None
    joining_s: float | None
    ready_s: float | None = None


def node_paths(run: RunReader) -> list[NodePath]:
    """Return the way of every node of a group that was added while the run was recorded, as they joined."""
    records = [record for record in run.cluster() if record.kind in ("Node", "Event", "Pod")]
    records.sort(key=lambda record: record.received_s)
    asked = _asked(records)
    waiting = _unschedulable(records)
    lives = pod_lives(run)
    return [_path(node, asked, waiting, lives) for node in _added(records)]


def _path(
    node: _Node, asked: list[tuple[float, frozenset[str]]], waiting: dict[str, float], lives: list[PodLife]
) -> NodePath:
    # Several nodes of one decision have one event; the nearest before this node was begun is its own.
    before_s = node.begun_s if node.begun_s is not None else node.joined_s
    own = [at_s for at_s, groups in asked if node.group in groups and at_s <= before_s + _OVERTAKE_S]
    asked_s = own[-1] if own else None
    on_it = [life for life in lives if life.node == node.name and life.scheduled_s is not None]
    first = min(on_it, key=lambda life: (life.scheduled_s or 0.0, life.name), default=None)
    pending = [
        at_s
        for life in lives
        if asked_s is not None
        and (at_s := waiting.get(life.uid)) is not None
        and at_s <= asked_s
        and (life.scheduled_s is None or life.scheduled_s > asked_s)
    ]
    marks = (
        min(pending, default=None),
        # The event may arrive after the making began: the server is asked first.
        asked_s if asked_s is None or node.begun_s is None else min(asked_s, node.begun_s),
        node.begun_s,
        node.joining_s,
        node.joined_s,
        node.ready_s,
        first.scheduled_s if first else None,
        first.ready_s if first else None,
    )
    return NodePath(node.name, node.group, raised(marks), first.name if first else None)


_OVERTAKE_S = 5.0
"""Most seconds after the server was asked at which the autoscaler's event may arrive: it sends it last."""


def _asked(records: Iterable[ClusterRecord]) -> list[tuple[float, frozenset[str]]]:
    """Return when the autoscaler said that it asks for nodes, and of which groups."""
    found: list[tuple[float, frozenset[str]]] = []
    for record in records:
        said = record.object
        if (
            record.kind == "Event"
            and record.type != "SNAPSHOT"
            and text(said, "reason") == "TriggeredScaleUp"
        ):
            groups = frozenset(_SCALED_UP.findall(text(said, "message") or text(said, "note")))
            found.append((record.received_s, groups))
    return found


def _unschedulable(records: Iterable[ClusterRecord]) -> dict[str, float]:
    """Return when each pod was first said to fit nowhere, by uid."""
    found: dict[str, float] = {}
    for record in records:
        if record.kind != "Pod":
            continue
        scheduled = condition(record.object, "PodScheduled")
        if scheduled and scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
            uid = text(record.object, "metadata", "uid") or text(record.object, "metadata", "name")
            found.setdefault(uid, record.received_s)
    return found


def _added(records: Iterable[ClusterRecord]) -> list[_Node]:
    """Return the nodes of groups whose Node object appeared."""
    found: dict[str, _Node] = {}
    for record in records:
        name, group = text(record.object, "metadata", "name"), _label(record.object, GROUP_LABEL)
        if record.kind != "Node" or record.type == "DELETED" or not group:
            continue
        if record.type == "ADDED" and name not in found:
            begun_s, joining_s = (_moment(record.object, key) for key in (BEGUN_LABEL, JOINING_LABEL))
            found[name] = _Node(name, group, record.received_s, begun_s, joining_s)
        ready = condition(record.object, "Ready")
        if name in found and found[name].ready_s is None and ready and ready.get("status") == "True":
            found[name].ready_s = record.received_s
    return list(found.values())


def _label(value: dict[str, Any], key: str) -> str:
    found = dig(value, "metadata", "labels", key)
    return found if isinstance(found, str) else ""


def _moment(value: dict[str, Any], key: str) -> float | None:
    try:
        return float(_label(value, key))
    except ValueError:
        return None
