"""What is assumed about the world, each with unit and source.

The defaults are round figures of the kit's own service on its local cluster, set by hand. They are no
measurement: where a figure matters, take it from a Run.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

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
        description="Time an empty node is kept. Source: scale-down-unneeded-time.",
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
