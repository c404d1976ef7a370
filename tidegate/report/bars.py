"""Stacked bars of a scale event's parts, as figures for an SVG that needs no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tidegate.report.model import Scale

PART_WORDS = {
    "metric": ("Metric", "from the kubelet's sample until it was visible in the metrics API"),
    "decision": ("Decision", "until the autoscaler had read it and decided"),
    "create": ("Create", "until the pod existed"),
    "schedule": ("Schedule", "until it had a node"),
    "start": ("Start", "until its containers ran"),
    "ready": ("Ready", "until it was Ready"),
    "first_request": ("First request", "until it was sent its first request"),
    "deleting": ("Deleting", "from the decision until the pod was told to go"),
    "drained": ("Draining", "until its last request was answered"),
    "gone": ("Stopping", "until it was gone"),
}
"""Title of each part and, in words, what it lasts until."""

NODE_WORDS = {
    "decision": "from the first pod that no node could hold until the autoscaler asked for a node",
    "ask": "until the making of the node began",
    "provision": "until its container, its runtime and its images were there",
    "join": "until its Node object was there",
    "ready": "until it was Ready",
    "schedule": "until the first pod was put on it",
    "start": "until that pod was Ready",
}
"""What each part of a node's way lasts until."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar, in percent of the bar's full width."""

    part: str
    title: str
    seconds: float
    x: float
    width: float


def scale_of(events: Iterable[Scale]) -> dict[str, float]:
    """Return the seconds that the full width stands for, by direction: the longest path of a pod."""
    longest = {"up": 0.0, "down": 0.0}
    for event in events:
        for parts in (event.parts, *(pod.parts for pod in event.pods)):
            longest[event.direction] = max(longest[event.direction], sum(parts.values()))
    return longest


def bar(parts: Mapping[str, float], full_s: float) -> list[Segment]:
    """Return the segments of `parts` on a bar whose full width is `full_s` seconds."""
    found: list[Segment] = []
    at = 0.0
    for part, seconds in parts.items():
        width = 100 * seconds / full_s if full_s > 0 else 0.0
        found.append(Segment(part, PART_WORDS[part][0], seconds, round(at, 3), round(width, 3)))
        at += width
    return found
