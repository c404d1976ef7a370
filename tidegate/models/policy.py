"""Everything that decides how the service scales.

The same object is rendered into chart values, kept in the Pulumi stack's configuration, consumed by the
simulator and searched by the tuner. Bounds are those of the Kubernetes API (autoscaling/v2 validation:
periodSeconds <= 1800, stabilizationWindowSeconds <= 3600, at least one policy a direction) or narrower
where the reason is given.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from tidegate.models.base import (
    Count,
    MebiBytes,
    MilliCores,
    Model,
    Ratio,
    RequestsPerSecond,
    Seconds,
    WholePercent,
)
from tidegate.models.headroom import HeadroomPolicy
from tidegate.models.node_group import NodeGroup
from tidegate.models.queue import QueuePolicy
from tidegate.models.vertical import VpaPolicy

DRAIN_MARGIN_S = 5
"""Seconds between the end of the server's own drain and the kill: time for the process to close and exit."""


class ScaleRule(Model):
    """One limit on how fast replicas may change."""

    type: Literal["Pods", "Percent"] = Field(
        description="Whether `value` counts pods or percent of the replicas."
    )
    value: Count = Field(
        ge=1,
        le=100_000,
        description="Most pods, or percent, changed within `period_s`. 1 to 100000; 0 is `Disabled`.",
    )
    period_s: Seconds = Field(
        ge=1, le=1800, description="Seconds the limit looks back. 1 to 1800, the bound of the Kubernetes API."
    )


class ScaleRules(Model):
    """How the autoscaler may move in one direction."""

    stabilization_window_s: Seconds = Field(
        ge=0,
        le=3600,
        description="Seconds over which the most cautious recommendation wins. 0 to 3600; it damps flapping.",
    )
    select_policy: Literal["Max", "Min", "Disabled"] = Field(
        default="Max",
        description="Which of the policies counts: the one that allows most, least, or no movement at all.",
    )
    policies: tuple[ScaleRule, ...] = Field(
        min_length=1, description="The limits. At least one: the Kubernetes API refuses an empty list."
    )


def _fast_up() -> ScaleRules:
    return ScaleRules(
        stabilization_window_s=0,
        policies=(
            ScaleRule(type="Percent", value=100, period_s=15),
            ScaleRule(type="Pods", value=4, period_s=15),
        ),
    )


def _calm_down() -> ScaleRules:
    return ScaleRules(
        stabilization_window_s=300, policies=(ScaleRule(type="Percent", value=100, period_s=15),)
    )


class HpaPolicy(Model):
    """The HorizontalPodAutoscaler of the web pods. The defaults are those Kubernetes itself would fill in."""

    min_replicas: Count = Field(
        default=2,
        ge=1,
        le=1000,
        description="Fewest web pods. 1 to 1000; 2 keeps serving while one is replaced.",
    )
    max_replicas: Count = Field(
        default=12,
        ge=1,
        le=1000,
        description="Most web pods. 1 to 1000; it bounds cost and database connections.",
    )
    metric: Literal["cpu", "rps"] = Field(
        default="cpu",
        description="What decides the number of web pods: cpu, in percent of the request, or rps, requests "
        "answered a second by each pod, which KEDA asks Prometheus for. Unlike CPU it knows no pod's start.",
    )
    rps_per_pod: RequestsPerSecond = Field(
        default=40.0,
        ge=0.1,
        le=100_000,
        description="Requests a second aimed at for each pod, where metric is rps. 0.1 to 100000; below what "
        "a pod can answer within the objective.",
    )
    cpu_target_percent: WholePercent = Field(
        default=60,
        ge=1,
        le=1000,
        description="CPU use aimed at, percent of the pods' CPU request. 1 to 1000; the rest is headroom "
        "for a rise while new pods start. Above 100 only makes sense when the limit is above the request.",
    )
    tolerance_up: Ratio | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Ratio above target that is ignored. 0 to 1; unset leaves the controller's own 0.1.",
    )
    tolerance_down: Ratio | None = Field(
        default=None,
        ge=0,
        le=1,
        description="Ratio below target that is ignored. 0 to 1; unset leaves the controller's own 0.1.",
    )
    scale_up: ScaleRules = Field(default_factory=_fast_up, description="How fast replicas may rise.")
    scale_down: ScaleRules = Field(default_factory=_calm_down, description="How fast replicas may fall.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"min_replicas {self.min_replicas} is above max_replicas {self.max_replicas}")
        return self


class DrainPolicy(Model):
    """How a web pod leaves without losing a request."""

    pre_stop_s: Seconds = Field(
        default=5,
        ge=0,
        le=300,
        description="Seconds a pod still serves after it is told to go. 0 to 300; removal from the endpoints "
        "races the signal, so 0 loses requests.",
    )
    graceful_timeout_s: Seconds = Field(
        default=20, ge=1, le=3600, description="Seconds the server waits for requests in flight. 1 to 3600."
    )
    termination_grace_s: Seconds = Field(
        default=35,
        ge=1,
        le=7200,
        description="Seconds until it is killed. 1 to 7200; not below pre_stop_s + graceful_timeout_s + 5.",
    )

    @model_validator(mode="after")
    def _long_enough(self) -> Self:
        least = self.pre_stop_s + self.graceful_timeout_s + DRAIN_MARGIN_S
        if self.termination_grace_s < least:
            raise ValueError(
                f"termination_grace_s {self.termination_grace_s} is below {least} "
                f"(pre_stop_s + graceful_timeout_s + {DRAIN_MARGIN_S}): requests in flight would be killed"
            )
        return self


class _Resources(Model):
    @model_validator(mode="after")
    def _limits_hold_requests(self) -> Self:
        values: dict[str, int | None] = self.model_dump()
        for kind, unit in (("cpu", "m"), ("memory", "mi")):
            request, limit = values[f"{kind}_request_{unit}"], values[f"{kind}_limit_{unit}"]
            if request is not None and limit is not None and limit < request:
                raise ValueError(f"{kind}_limit_{unit} {limit} is below {kind}_request_{unit} {request}")
        return self


class NginxPolicy(Model):
    """NGINX in front of the application, in the same pod."""

    enabled: bool = Field(
        default=False,
        strict=True,
        description="Whether it is there. It takes slow callers off the application, and costs the resources "
        "below for every web pod.",
    )
    cpu_request_m: MilliCores = Field(
        default=20,
        ge=1,
        le=64_000,
        description="CPU reserved for it, milli-cores. 1 to 64000; the autoscaler does not look at it.",
    )
    memory_request_mi: MebiBytes = Field(
        default=24, ge=8, le=262_144, description="Memory reserved for it, mebibytes. 8 to 262144."
    )
    memory_limit_mi: MebiBytes = Field(
        default=64, ge=8, le=262_144, description="Memory at which it is killed, mebibytes. 8 to 262144."
    )

    @model_validator(mode="after")
    def _limit_holds_request(self) -> Self:
        if self.memory_limit_mi < self.memory_request_mi:
            raise ValueError(
                f"memory_limit_mi {self.memory_limit_mi} is below memory_request_mi {self.memory_request_mi}"
            )
        return self


class WebPolicy(_Resources):
    """The pods that answer requests, and what scales them."""

    cpu_request_m: MilliCores = Field(
        default=100,
        ge=1,
        le=64_000,
        description="CPU reserved for a web pod, milli-cores. 1 to 64000; the autoscaler's 100 %.",
    )
    cpu_limit_m: MilliCores | None = Field(
        default=500,
        ge=1,
        le=64_000,
        description="CPU a web pod may use at most, milli-cores. 1 to 64000; null means no limit.",
    )
    memory_request_mi: MebiBytes = Field(
        default=160, ge=16, le=262_144, description="Memory reserved for a web pod, mebibytes. 16 to 262144."
    )
    memory_limit_mi: MebiBytes = Field(
        default=256,
        ge=16,
        le=262_144,
        description="Memory at which a web pod is killed, mebibytes. 16 to 262144; bounds a leak.",
    )
    hpa: HpaPolicy = Field(default_factory=HpaPolicy, description="What scales the web pods.")
    drain: DrainPolicy = Field(default_factory=DrainPolicy, description="How a web pod leaves.")
    nginx: NginxPolicy = Field(default_factory=NginxPolicy, description="What stands in front of it.")
    vpa: VpaPolicy = Field(default_factory=VpaPolicy, description="What sizes the web pods.")

    @model_validator(mode="after")
    def _one_autoscaler_a_resource(self) -> Self:
        if self.vpa.acts and "cpu" in self.vpa.controlled and self.hpa.metric == "cpu":
            raise ValueError(
                f"vpa.mode {self.vpa.mode} on {self.vpa.resources} beside an HPA on cpu: a request it raises "
                "lowers the HPA's percentage, and the two chase each other (kubernetes/autoscaler "
                "vertical-pod-autoscaler/docs/known-limitations.md, issue 6060); set vpa.resources: memory, "
                "vpa.mode: Off, or hpa.metric: rps"
            )
        self.vpa.require_below_limits(self.cpu_limit_m, self.memory_limit_mi)
        return self

    @property
    def pod_cpu_request_m(self) -> int:
        """CPU that a node must have free for a web pod, milli-cores: all its containers together."""
        return self.cpu_request_m + (self.nginx.cpu_request_m if self.nginx.enabled else 0)


class WorkerPolicy(_Resources):
    """The pods that decide orders taken from the queue."""

    scale_by: Literal["fixed", "queue"] = Field(
        default="fixed",
        description="What decides how many workers: fixed is `replicas`, queue its depth and age, by KEDA.",
    )
    replicas: Count = Field(
        default=1,
        ge=0,
        le=1000,
        description="Worker pods where scale_by is fixed. 0 to 1000; 0 lets the queue grow.",
    )
    queue: QueuePolicy = Field(default_factory=QueuePolicy, description="How workers follow the queue.")
    cpu_request_m: MilliCores = Field(
        default=100, ge=1, le=64_000, description="CPU reserved for a worker pod, milli-cores. 1 to 64000."
    )
    cpu_limit_m: MilliCores | None = Field(
        default=500,
        ge=1,
        le=64_000,
        description="CPU a worker pod may use, milli-cores. 1 to 64000; null: no limit.",
    )
    memory_request_mi: MebiBytes = Field(
        default=160,
        ge=16,
        le=262_144,
        description="Memory reserved for a worker pod, mebibytes. 16 to 262144.",
    )
    memory_limit_mi: MebiBytes = Field(
        default=256,
        ge=16,
        le=262_144,
        description="Memory at which a worker pod is killed, mebibytes. 16 to 262144.",
    )
    termination_grace_s: Seconds = Field(
        default=35,
        ge=1,
        le=7200,
        description="Seconds a worker has for the order in hand. 1 to 7200; an unfinished one is retried.",
    )
    vpa: VpaPolicy = Field(default_factory=VpaPolicy, description="What sizes the worker pods.")

    @property
    def most_replicas(self) -> int:
        """The number of workers there can be."""
        return self.queue.max_replicas if self.scale_by == "queue" else self.replicas

    @model_validator(mode="after")
    def _sized_within_limits(self) -> Self:
        self.vpa.require_below_limits(self.cpu_limit_m, self.memory_limit_mi)
        return self


class Policy(Model):
    """All that decides scaling. See the module's docstring for who reads it."""

    web: WebPolicy = Field(default_factory=WebPolicy, description="The pods that answer requests.")
    worker: WorkerPolicy = Field(
        default_factory=WorkerPolicy, description="The pods that work off the queue."
    )
    node_groups: tuple[NodeGroup, ...] = Field(
        default=(),
        max_length=10,
        description="Groups of nodes that the cluster-autoscaler may add to and take from. None: the cluster "
        "stays as it was made.",
    )
    headroom: HeadroomPolicy = Field(
        default_factory=HeadroomPolicy, description="Room kept free on the nodes."
    )

    @model_validator(mode="after")
    def _groups_apart(self) -> Self:
        names = [group.name for group in self.node_groups]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two node_groups are called {twice}")
        return self

    @property
    def needs_keda(self) -> bool:
        """Whether something scales on what only KEDA can ask for."""
        return self.web.hpa.metric == "rps" or self.worker.scale_by == "queue"

    @property
    def needs_vpa(self) -> bool:
        """Whether a workload has a VerticalPodAutoscaler, be it one that only publishes."""
        return self.web.vpa.mode != "none" or self.worker.vpa.mode != "none"

    @property
    def applies_vpa(self) -> bool:
        """Whether a VerticalPodAutoscaler changes pods."""
        return self.web.vpa.acts or self.worker.vpa.acts

    @property
    def needs_cluster_autoscaler(self) -> bool:
        """Whether nodes may come and go."""
        return bool(self.node_groups)

    @property
    def needs_autoscaling(self) -> bool:
        """Whether anything scales by more than the HorizontalPodAutoscaler that Kubernetes brings."""
        return self.needs_cluster_autoscaler or self.needs_keda or self.needs_vpa

    def chart_values(self) -> dict[str, Any]:
        """Return the values of the service chart that follow from the policy: keys `web`, `hpa`, `worker`,
        `headroom`, `tolerations`.

        This is the only place where a policy becomes chart values; merge it over what is not policy
        (image, database, gateway, fraud weight).
        """
        from tidegate.models.chart import render

        return render(self)
