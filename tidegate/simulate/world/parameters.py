"""What is assumed about the world, each with unit and source.

The defaults are round figures of the kit's own service on its local cluster, set by hand. They are no
measurement: where a figure matters, take it from a Run.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tidegate.models.base import Count, MilliCores, Model, Unit
from tidegate.simulate.hpa.release import LATEST_PROVEN

Milliseconds = Annotated[float, Unit("milliseconds", "20.0")]
SecondsOf = Annotated[float, Unit("seconds", "2.5")]
Variation = Annotated[float, Unit("standard deviation over mean", "0.5")]
Price = Annotated[float, Unit("money of one currency", "0.04")]


class Service(Model):
    """What one request costs."""

    cpu_ms: Milliseconds = Field(
        default=12.0,
        gt=0,
        le=60_000,
        description="Mean CPU time of a request, milliseconds. Source: calibration.",
    )
    cpu_variation: Variation = Field(
        default=0.5, ge=0, le=5, description="Spread of it (lognormal), standard deviation over mean."
    )
    other_ms: Milliseconds = Field(
        default=15.0, ge=0, le=60_000, description="Mean time that is no CPU: database, network. Exponential."
    )
    processes: Count = Field(
        default=1, ge=1, le=64, description="Server processes of a pod; each uses one core at most."
    )
    cpu_period_ms: Milliseconds = Field(
        default=100.0,
        ge=1,
        le=1000,
        description="Period in which a CPU limit is kept, milliseconds. Source: pkg/kubelet/cm QuotaPeriod.",
    )
    edge_cpu_ms: Milliseconds = Field(
        default=0.0,
        ge=0,
        le=60_000,
        description="CPU a request takes outside the pods, on shared cores: gateway, load generator.",
    )
    idle_cpu_m: Annotated[float, Unit("milli-cores", "10.0")] = Field(
        default=0.0, ge=0, le=10_000, description="CPU of a pod without requests: probes, scrapes, timers."
    )
    timeout_s: SecondsOf = Field(
        default=30.0,
        gt=0,
        le=3600,
        description="Time after which a client gives up; the work is done all the same.",
    )


class Start(Model):
    """What passes until a new pod serves."""

    create_s: SecondsOf = Field(default=0.1, ge=0, le=600, description="Decision to the pod's creation.")
    schedule_s: SecondsOf = Field(
        default=0.05, ge=0, le=600, description="Creation to a node, where one has room."
    )
    start_s: SecondsOf = Field(
        default=1.5, ge=0, le=3600, description="Node to started containers: image, sandbox, process."
    )
    ready_s: SecondsOf = Field(
        default=2.5, ge=0, le=3600, description="Started to Ready with the CPU to itself: imports and probes."
    )
    cpu_s: SecondsOf = Field(default=1.0, ge=0, le=600, description="CPU seconds that starting takes.")
    node_cpu_s: SecondsOf = Field(
        default=0.0,
        ge=0,
        le=600,
        description="CPU seconds that starting a pod takes outside it, on shared cores: runtime, kubelet.",
    )
    cold_factor: Annotated[float, Unit("a ratio", "3.0")] = Field(
        default=1.0,
        ge=1,
        le=1000,
        description="CPU of a new pod's first request, compared with a later one: caches, connections, code.",
    )
    cold_requests: Annotated[float, Unit("requests", "20.0")] = Field(
        default=20.0, gt=0, le=1e6, description="Requests in which that falls to 1/e (exponential)."
    )
    variation: Variation = Field(
        default=0.2, ge=0, le=3, description="Spread of start and ready (lognormal)."
    )
    endpoint_s: SecondsOf = Field(
        default=0.4, ge=0, le=60, description="Ready, or told to go, until the load balancer knows."
    )


class Pipeline(Model):
    """From CPU counters to the autoscaler."""

    sample_least_s: SecondsOf = Field(
        default=10.0,
        gt=0,
        le=60,
        description="Shortest time between the kubelet's samples of a container. "
        "Source: cAdvisor v0.56.2 manager/container.go:499-522, 10 s with jitter factor 1.",
    )
    sample_most_s: SecondsOf = Field(default=20.0, gt=0, le=120, description="Longest; see sample_least_s.")
    resolution_s: SecondsOf = Field(
        default=15.0,
        ge=10,
        le=300,
        description="metrics-server's scrape interval. Source: its manifest, 15 s.",
    )
    scrape_s: SecondsOf = Field(
        default=0.2, ge=0, le=30, description="Time a scrape takes until it is served."
    )


class RequestsMetric(Model):
    """Requests a second as a second metric, through Prometheus and an adapter."""

    target_rps: Annotated[float, Unit("requests a second a pod", "10.0")] = Field(
        gt=0, le=1e6, description="Aimed at for each pod. With KEDA it is the only metric."
    )
    scrape_s: SecondsOf = Field(
        default=30.0,
        gt=0,
        le=600,
        description="Scrape interval. Source: kube-prometheus has 30 s, Prometheus alone 60 s.",
    )
    window_s: SecondsOf = Field(
        default=120.0, gt=0, le=3600, description="Window of `rate`; below two scrapes it is mostly empty."
    )


class Keda(Model):
    """A ScaledObject on requests a second. Source: kedacore/keda v2.21.0."""

    min_replicas: Count = Field(default=0, ge=0, le=1000, description="Fewest pods; 0 scales to zero.")
    polling_s: SecondsOf = Field(
        default=30.0, gt=0, le=3600, description="Time between polls of the trigger. Source: pollingInterval."
    )
    cooldown_s: SecondsOf = Field(
        default=300.0, ge=0, le=86_400, description="Inactive so long, to zero. Source: cooldownPeriod."
    )
    activation_rps: Annotated[float, Unit("requests a second", "0.5")] = Field(
        default=0.0,
        ge=0,
        le=1e6,
        description="Above this the trigger is active. Source: activationThreshold.",
    )


class Rollout(Model):
    """A new version of the pods, put in place of the old ones."""

    at_s: SecondsOf = Field(ge=0, le=3.2e7, description="When it begins, seconds of the load.")
    max_surge_percent: Annotated[int, Unit("percent", "25")] = Field(
        default=25, ge=0, le=100, description="Pods above the replicas, rounded up."
    )
    max_unavailable_percent: Annotated[int, Unit("percent", "25")] = Field(
        default=25, ge=0, le=100, description="Pods that may be unavailable, rounded down."
    )


class ControllerFlags(Model):
    """Flags of kube-controller-manager. Source: podautoscaler/config/v1alpha1/defaults.go:35-55."""

    version: str = Field(
        default=LATEST_PROVEN, max_length=40, description="Kubernetes version, 1.33 to 1.37."
    )
    sync_s: SecondsOf = Field(default=15.0, gt=0, le=600, description="Time between syncs.")
    tolerance: Annotated[float, Unit("a ratio, where 0.1 is ten percent", "0.1")] = Field(
        default=0.1, ge=0, le=1, description="Ratio off target that is ignored."
    )
    downscale_stabilization_s: SecondsOf = Field(
        default=300.0, ge=0, le=3600, description="Window down, where the policy gives none."
    )
    cpu_initialization_s: SecondsOf = Field(
        default=300.0, ge=0, le=3600, description="CPU initialization period."
    )
    readiness_delay_s: SecondsOf = Field(default=30.0, ge=0, le=3600, description="Initial readiness delay.")


class Nodes(Model):
    """Where pods run, and how more of it comes."""

    cpu_m: MilliCores = Field(
        default=4000, ge=1, le=1_000_000, description="CPU of a node that pods can request."
    )
    contention: Literal["none", "node", "machine"] = Field(
        default="none",
        description="Who shares cores. none: each pod has its own; node: the pods of a node, `cpu_m`; "
        "machine: all nodes together, `machine_cores`, as in a cluster of containers on one machine.",
    )
    machine_cores: Annotated[float, Unit("cores", "2.0")] = Field(
        default=2.0, gt=0, le=1024, description="Cores of that machine."
    )
    system_weight_m: Annotated[float, Unit("milli-cores of request", "1000.0")] = Field(
        default=1000.0,
        gt=0,
        le=1_000_000,
        description="Weight of system and edge, each, where cores are short; a pod's is its CPU request. "
        "Source: a cgroup has cpu.shares 1024 by default, a pod 1.024 for each milli-core it requests.",
    )
    least: Count = Field(default=2, ge=1, le=1000, description="Nodes at the start, and the fewest.")
    most: Count = Field(
        default=2, ge=1, le=1000, description="Most nodes; more than `least` means a cluster-autoscaler."
    )
    scan_s: SecondsOf = Field(
        default=10.0,
        gt=0,
        le=600,
        description="Its scan interval. Source: cluster-autoscaler config/flags/flags.go.",
    )
    provision_s: SecondsOf = Field(
        default=90.0, ge=0, le=3600, description="A node asked for until it is Ready."
    )
    unneeded_s: SecondsOf = Field(
        default=600.0,
        ge=0,
        le=86_400,
        description="Time a node is kept that is not needed. Source: scale-down-unneeded-time.",
    )
    utilization_percent: Annotated[int, Unit("percent", "50")] = Field(
        default=50,
        ge=0,
        le=100,
        description="A node of which less is requested can go. Source: scale-down-utilization-threshold.",
    )
    delay_after_add_s: SecondsOf = Field(
        default=600.0,
        ge=0,
        le=86_400,
        description="Time after a new node in which none goes. Source: scale-down-delay-after-add.",
    )


class Prices(Model):
    """What the cost is computed with. They have no source: put in your own."""

    core_hour: Price = Field(
        default=0.04, ge=0, le=1e6, description="Money for one requested core for one hour."
    )
    node_hour: Price = Field(default=0.0, ge=0, le=1e6, description="Money for one node for one hour.")


class World(Model):
    """All of it."""

    service: Service = Field(default_factory=Service, description="What one request costs.")
    start: Start = Field(default_factory=Start, description="What passes until a new pod serves.")
    pipeline: Pipeline = Field(default_factory=Pipeline, description="From CPU counters to the autoscaler.")
    controller: ControllerFlags = Field(
        default_factory=ControllerFlags, description="The controller's flags."
    )
    nodes: Nodes = Field(default_factory=Nodes, description="Where pods run.")
    prices: Prices = Field(default_factory=Prices, description="What things cost.")
    requests_metric: RequestsMetric | None = Field(
        default=None, description="Requests a second as a metric beside CPU; null: none."
    )
    keda: Keda | None = Field(
        default=None, description="KEDA on that metric, instead of CPU; null: a plain autoscaler."
    )
    rollouts: tuple[Rollout, ...] = Field(
        default=(), max_length=1000, description="New versions of the pods during the load, in order of time."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.keda is not None and self.requests_metric is None:
            raise ValueError("keda needs requests_metric: its trigger is requests a second")
        times = [one.at_s for one in self.rollouts]
        if times != sorted(times):
            raise ValueError("rollouts must be in the order of their at_s")
        return self
