"""Cluster records of a node that is added because two pods fit nowhere. Offsets are seconds from `T0`."""

from __future__ import annotations

from typing import Any

from support.synthetic_run import T0, Event

from tidegate.models.node_group import BEGUN_LABEL, GROUP_LABEL, JOINING_LABEL

NODE, GROUP = "demo-small-1", "small"
MARKS = {
    "pending": 60.0,
    "asked": 66.5,
    "begun": 66.25,
    "joining": 74.0,
    "joined": 76.5,
    "ready": 79.75,
    "pod_scheduled": 80.0,
    "pod_ready": 83.5,
}
"""The autoscaler's event arrives a quarter of a second after the node server began."""


def _node(offset: float, *, ready: bool) -> dict[str, Any]:
    labels = {
        GROUP_LABEL: GROUP,
        BEGUN_LABEL: f"{T0 + MARKS['begun']:.3f}",
        JOINING_LABEL: f"{T0 + MARKS['joining']:.3f}",
    }
    return {
        "metadata": {"name": NODE, "uid": "uid-node", "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]},
    }


def _pod(name: str, *, scheduled: bool, ready: bool) -> dict[str, Any]:
    waiting = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    bound = {"type": "PodScheduled", "status": "True"}
    return {
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "labels": {"app.kubernetes.io/component": "worker"},
        },
        "spec": {"nodeName": NODE} if scheduled else {},
        "status": {
            "conditions": [
                bound if scheduled else waiting,
                {"type": "Ready", "status": "True" if ready else "False"},
            ]
        },
    }


def added_node(*, event: bool = True) -> tuple[Event, ...]:
    """Return the records; without the autoscaler's event if `event` is False."""
    at = MARKS
    said = {
        "metadata": {"name": "late-1.1"},
        "involvedObject": {"kind": "Pod", "name": "late-1"},
        "reason": "TriggeredScaleUp",
        "message": "pod triggered scale-up: [{small 0->1 (max: 3)}]",
    }
    records: list[Event] = [
        (at["pending"], "ADDED", "Pod", _pod("late-1", scheduled=False, ready=False)),
        (at["pending"] + 1, "ADDED", "Pod", _pod("late-2", scheduled=False, ready=False)),
        (at["joined"], "ADDED", "Node", _node(at["joined"], ready=False)),
        (at["ready"], "MODIFIED", "Node", _node(at["ready"], ready=True)),
        (at["pod_scheduled"], "MODIFIED", "Pod", _pod("late-2", scheduled=True, ready=False)),
        (at["pod_scheduled"] + 0.5, "MODIFIED", "Pod", _pod("late-1", scheduled=True, ready=False)),
        (at["pod_ready"], "MODIFIED", "Pod", _pod("late-2", scheduled=True, ready=True)),
        (at["pod_ready"] + 9, "MODIFIED", "Node", _node(at["ready"], ready=True)),
    ]
    if event:
        records.append((at["asked"], "ADDED", "Event", said))
    return tuple(records)
