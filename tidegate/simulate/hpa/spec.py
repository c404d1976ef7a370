"""What is asked of the autoscaler: what decides in an autoscaling/v2 object, and the controller's flags.

Amounts are whole milli-units, because the controller turns every quantity into them before it computes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tidegate.simulate.hpa.release import Release, release

NANOS = 1_000_000_000
"""Nanoseconds in a second. Times are whole nanoseconds, as in Go: windows are compared to the nanosecond."""


@dataclass(frozen=True, slots=True)
class ResourceMetric:
    """CPU or memory of the pods against a target: `Resource`, and `ContainerResource` with a container."""

    resource: str
    utilization_percent: int | None = None
    """Target in percent of the requests; None when `average_milli` is the target."""
    average_milli: int | None = None
    """Target a pod; it wins when both are set (horizontal.go:611)."""
    container: str | None = None


@dataclass(frozen=True, slots=True)
class PodsMetric:
    """A custom metric of each pod, averaged."""

    name: str
    average_milli: int


@dataclass(frozen=True, slots=True)
class ObjectMetric:
    """A metric of one other object. With neither target it is invalid (horizontal.go:575)."""

    name: str
    kind: str = ""
    value_milli: int | None = None
    average_milli: int | None = None


@dataclass(frozen=True, slots=True)
class ExternalMetric:
    """A metric from outside the cluster, one value for each series, summed."""

    name: str
    value_milli: int | None = None
    average_milli: int | None = None


@dataclass(frozen=True, slots=True)
class UnknownMetric:
    """A type that the controller does not know; the API server lets none through."""

    type: str


Metric = ResourceMetric | PodsMetric | ObjectMetric | ExternalMetric | UnknownMetric


@dataclass(frozen=True, slots=True)
class RatePolicy:
    """One limit on the change within a period."""

    type: Literal["Pods", "Percent"]
    value: int
    period_s: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How one direction may move; nothing is left to default any more except the window."""

    select: Literal["Max", "Min", "Disabled"]
    policies: tuple[RatePolicy, ...]
    window_s: int | None
    """Stabilization window; None downwards means the controller's own."""
    tolerance: float | None = None


UP_RULES = Rules("Max", (RatePolicy("Pods", 4, 15), RatePolicy("Percent", 100, 15)), 0)
"""What the API server fills in upwards (pkg/apis/autoscaling/v2/defaults.go:30-48)."""
DOWN_RULES = Rules("Max", (RatePolicy("Percent", 100, 15),), None)
"""What the API server fills in downwards (pkg/apis/autoscaling/v2/defaults.go:49-63)."""


@dataclass(frozen=True, slots=True)
class Behavior:
    """`spec.behavior` after the API server's defaulting."""

    up: Rules = UP_RULES
    down: Rules = DOWN_RULES


CPU_AT_80 = ResourceMetric("cpu", utilization_percent=80)
"""What the API server fills in for no metrics (pkg/apis/autoscaling/v2/defaults.go:76-90)."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One HorizontalPodAutoscaler."""

    max_replicas: int
    min_replicas: int = 1
    metrics: tuple[Metric, ...] = (CPU_AT_80,)
    behavior: Behavior | None = None
    """None is not the same as the defaults: another set of rules applies (horizontal.go:921)."""

    @property
    def has_outside_metric(self) -> bool:
        """Whether a metric can be read while there is no pod (horizontal.go:1548)."""
        return any(isinstance(metric, ObjectMetric | ExternalMetric) for metric in self.metrics)


@dataclass(frozen=True, slots=True)
class Controller:
    """Flags of kube-controller-manager with their defaults (config/v1alpha1/defaults.go:35-55)."""

    tolerance: float = 0.1
    downscale_stabilization_ns: int = 300 * NANOS
    cpu_initialization_ns: int = 300 * NANOS
    initial_readiness_delay_ns: int = 30 * NANOS
    sync_period_ns: int = 15 * NANOS
    release: Release = field(default_factory=release)
    up_factor: float = 2.0
    """Most growth in one step without `behavior`; a constant that tests raise (horizontal.go:62)."""
    up_least: float = 4.0
    """Replicas that one step may always reach without `behavior` (horizontal.go:63)."""
