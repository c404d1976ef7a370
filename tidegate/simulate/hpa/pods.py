"""Pods and their metrics as the controller reads them at one sync."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

ZERO_TIME_NS = -62_135_596_800 * 1_000_000_000
"""Go's zero time, the year 1: what an absent transition time reads as."""

Phase = Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"]


Fault = Literal["FailedGetScale", "InvalidSelector", "AmbiguousSelector", "FailedUpdateScale"]
"""What can go wrong around the metrics, by the condition's reason: the Scale cannot be read; it has no valid
selector; another autoscaler selects some of the same pods; the Scale cannot be written."""


class Ready(Enum):
    """Status of the pod's Ready condition."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"
    ABSENT = "absent"
    """There is no such condition."""


@dataclass(frozen=True, slots=True)
class Container:
    """A container that counts towards the pod's requests: a regular one, or a restartable init container."""

    name: str
    requests_milli: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ContainerUsage:
    """One container of a pod's metrics; a resource it lacks is not in `usage_milli`."""

    name: str
    usage_milli: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PodUsage:
    """What metrics.k8s.io says about one pod."""

    t_ns: int
    """End of the window, as the API's timestamp."""
    window_ns: int
    containers: tuple[ContainerUsage, ...]


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod that the target's selector matches."""

    name: str
    phase: Phase = "Running"
    ready: Ready = Ready.TRUE
    ready_since_ns: int = ZERO_TIME_NS
    """When the Ready condition last changed."""
    started_ns: int | None = ZERO_TIME_NS
    """`status.startTime`; None when the kubelet has not seen the pod."""
    deleting: bool = False
    containers: tuple[Container, ...] = ()
    usage: PodUsage | None = None
    pod_requests_milli: Mapping[str, int] = field(default_factory=dict[str, int])
    """Requests set on the pod as a whole (KEP-2837)."""
    init_requests_milli: Mapping[str, int] = field(default_factory=dict[str, int])
    """Most that starting takes at once: of ordinary init containers, each with the restartable ones before
    it. Counts only where something is requested for the pod as a whole."""


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything the controller reads at one sync."""

    t_ns: int
    spec_replicas: int
    """`spec.replicas` of the Scale: what the controller calls current."""
    status_replicas: int
    """`status.replicas` of the Scale: pods there are."""
    pods: tuple[Pod, ...] = ()
    pod_metrics: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    """Milli-values by metric and pod; an absent metric is a failing API."""
    object_metrics: Mapping[str, int] = field(default_factory=dict[str, int])
    external_metrics: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    """Milli-values of each series by metric; no series is a failing API."""
    stray_usage: Mapping[str, PodUsage] = field(default_factory=dict[str, PodUsage])
    """Pods that the metrics API still has and the pod list no longer: they count in averages."""
    fault: Fault | None = None
