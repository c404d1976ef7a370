"""What the HorizontalPodAutoscaler said, and when it changed the number of replicas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tidegate.run.format import WEB_HPA_NAMES, WEB_NAME
from tidegate.run.objects import dig, integer, items, moment_s, text
from tidegate.run.reader import RunReader
from tidegate.run.records import ClusterRecord

_NEW_SIZE = re.compile(r"New size: (\d+)")
_FRESH_EVENT_S = 5.0
"""Most seconds between an Event's own time and its receipt; older ones came from a list."""


@dataclass(frozen=True, slots=True)
class HpaCondition:
    """One condition of the autoscaler, for example `ScalingLimited`."""

    type: str
    status: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class HpaPoint:
    """The autoscaler's status as received at `t_s`."""

    t_s: float
    desired: int
    current: int
    cpu_percent: int | None
    """Use of the CPU request that it last computed, percent; None while it has none."""
    min_replicas: int | None
    max_replicas: int | None
    conditions: tuple[HpaCondition, ...]


@dataclass(frozen=True, slots=True)
class Rescale:
    """A change of the number of replicas that the autoscaler asked for."""

    t_s: float
    """When it was first seen, in the autoscaler's status, its Event or the Deployment; unix seconds."""
    from_replicas: int
    to_replicas: int
    cpu_percent: int | None
    """Use of the CPU request that it reported with the change, percent."""


def _cpu_percent(hpa: dict[str, Any]) -> int | None:
    for metric in items(hpa, "status", "currentMetrics"):
        for source in ("resource", "containerResource"):
            if text(metric, source, "name") == "cpu":
                return integer(metric, source, "current", "averageUtilization")
    return None


def _is_web_hpa(record: ClusterRecord) -> bool:
    name = text(record.object, "metadata", "name")
    return record.kind == "HorizontalPodAutoscaler" and name in WEB_HPA_NAMES


def hpa_points(records: Iterable[ClusterRecord]) -> list[HpaPoint]:
    """Return the states of the web autoscaler found in `records`, in the order of time."""
    found = [
        HpaPoint(
            t_s=record.received_s,
            desired=integer(record.object, "status", "desiredReplicas") or 0,
            current=integer(record.object, "status", "currentReplicas") or 0,
            cpu_percent=_cpu_percent(record.object),
            min_replicas=integer(record.object, "spec", "minReplicas"),
            max_replicas=integer(record.object, "spec", "maxReplicas"),
            conditions=tuple(
                HpaCondition(
                    text(one, "type"), text(one, "status"), text(one, "reason"), text(one, "message")
                )
                for one in items(record.object, "status", "conditions")
            ),
        )
        for record in records
        if _is_web_hpa(record) and record.type != "DELETED"
    ]
    return sorted(found, key=lambda point: point.t_s)


def hpa_series(run: RunReader) -> list[HpaPoint]:
    """Return every received status of the web autoscaler."""
    return hpa_points(run.cluster())


def peak_desired(points: Iterable[HpaPoint], start_s: float) -> int:
    """Return the most replicas the autoscaler asked for at or after `start_s`, also what stood then."""
    peak, before = 0, 0
    for point in points:
        if point.t_s <= start_s:
            before = point.desired
        else:
            peak = max(peak, point.desired)
    return max(peak, before)


def _announcements(records: Iterable[ClusterRecord]) -> list[tuple[float, int]]:
    """Return when and to what the size was seen to be set, outside the autoscaler's own status.

    The controller first writes the Deployment's scale, then emits its Event, then writes its status; each
    reaches the recorder on a watch of its own, in any order.
    """
    found: list[tuple[float, int]] = []
    for record in records:
        obj = record.object
        if record.type == "SNAPSHOT":
            continue
        if record.kind == "Deployment" and text(obj, "metadata", "name") == WEB_NAME:
            size = integer(obj, "spec", "replicas")
            if size is not None:
                found.append((record.received_s, size))
        elif record.kind == "Event" and text(obj, "reason") == "SuccessfulRescale":
            about = dig(obj, "involvedObject") or dig(obj, "regarding")
            size = _NEW_SIZE.search(text(obj, "message") or text(obj, "note"))
            said_s = moment_s(obj, "eventTime") or moment_s(obj, "lastTimestamp") or record.received_s
            if text(about, "name") in WEB_HPA_NAMES and size and record.received_s - said_s <= _FRESH_EVENT_S:
                found.append((record.received_s, int(size[1])))
    return sorted(found)


def rescales(run: RunReader) -> list[Rescale]:
    """Return every change of the desired replicas, in the order of time.

    A change is known from two successive statuses. Its moment is the earliest of the status and of the
    announcements of the same size received since the status before.
    """
    relevant = [record for record in run.cluster() if record.kind in _RELEVANT]
    points = [point for point in hpa_points(relevant) if point.desired > 0]
    said = _announcements(relevant)
    found: list[Rescale] = []
    for before, now in pairwise(points):
        if now.desired != before.desired:
            earlier = (t_s for t_s, size in said if size == now.desired and before.t_s <= t_s <= now.t_s)
            found.append(Rescale(min(earlier, default=now.t_s), before.desired, now.desired, now.cpu_percent))
    return found


_RELEVANT = frozenset({"HorizontalPodAutoscaler", "Deployment", "Event"})
