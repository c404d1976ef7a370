"""The autoscaling/v2 object, as far as it decides, with the API server's own checks.

Names are the API's. The checks are those of pkg/apis/autoscaling/validation/validation.go:54-560 in
k8s.io/kubernetes v1.36.3; `minReplicas: 0` is accepted whatever the version, because an object may be older
than its cluster.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import FailFast, Field, Strict, model_validator

from tidegate.simulate.wire.base import (
    Ignored,
    Int32,
    KubernetesModel,
    Name,
    PositiveQuantity,
    QuantityFromZero,
)

_MOST = 100
"""Policies or metrics of one autoscaler: far above any in use, and a bound for hostile input."""


class MetricTarget(KubernetesModel):
    """What a metric is compared with."""

    type: Literal["Utilization", "AverageValue", "Value"] = Field(description="Which of the others counts.")
    average_utilization: Annotated[int, Strict(), Field(ge=1, le=2**31 - 1)] | None = Field(
        default=None, description="Percent of the pods' requests."
    )
    average_value: PositiveQuantity | None = Field(default=None, description="Amount for one pod.")
    value: PositiveQuantity | None = Field(default=None, description="Amount for all pods together.")


class MetricIdentifier(KubernetesModel):
    """A custom or external metric's name; its selector is the metrics API's affair."""

    name: Annotated[Name, Field(min_length=1)]
    selector: dict[str, Any] | None = None


class ResourceSource(KubernetesModel):
    """CPU or memory of whole pods."""

    name: Annotated[Name, Field(min_length=1)]
    target: MetricTarget

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        _require_utilization_or_average(self.target)
        return self


class ContainerResourceSource(KubernetesModel):
    """CPU or memory of one container of each pod."""

    name: Annotated[Name, Field(min_length=1)]
    container: Annotated[Name, Field(min_length=1)]
    target: MetricTarget

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        _require_utilization_or_average(self.target)
        return self


def _require_utilization_or_average(target: MetricTarget) -> None:
    if (target.average_utilization is None) == (target.average_value is None):
        raise ValueError("target must have one of averageUtilization and averageValue")


class PodsSource(KubernetesModel):
    """A custom metric of each pod."""

    metric: MetricIdentifier
    target: MetricTarget

    @model_validator(mode="after")
    def _has_a_target(self) -> Self:
        if self.target.average_value is None:
            raise ValueError("target must have averageValue")
        return self


class ObjectSource(KubernetesModel):
    """A metric of one other object."""

    described_object: Ignored | None = Field(default=None, description="Which object; decides nothing here.")
    metric: MetricIdentifier
    target: MetricTarget

    @model_validator(mode="after")
    def _has_a_target(self) -> Self:
        if self.target.value is None and self.target.average_value is None:
            raise ValueError("target must have value or averageValue")
        return self


class ExternalSource(KubernetesModel):
    """A metric from outside the cluster."""

    metric: MetricIdentifier
    target: MetricTarget

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        if (self.target.value is None) == (self.target.average_value is None):
            raise ValueError("target must have one of value and averageValue")
        return self


class MetricSpec(KubernetesModel):
    """One metric: its type, and the source of that type."""

    type: Literal["Resource", "ContainerResource", "Pods", "Object", "External"]
    resource: ResourceSource | None = None
    container_resource: ContainerResourceSource | None = None
    pods: PodsSource | None = None
    object: ObjectSource | None = None
    external: ExternalSource | None = None

    @model_validator(mode="after")
    def _has_its_source(self) -> Self:
        present = self.model_fields_set - {"type"}
        present = {name for name in present if getattr(self, name) is not None}
        wanted = {"ContainerResource": "container_resource"}.get(self.type, self.type.lower())
        if present != {wanted}:
            raise ValueError(f"a metric of type {self.type} has the source of that name and no other")
        return self


class ScalingPolicy(KubernetesModel):
    """One limit on the change within a period."""

    type: Literal["Pods", "Percent"]
    value: Annotated[int, Strict(), Field(ge=1, le=2**31 - 1)]
    period_seconds: Annotated[int, Strict(), Field(ge=1, le=1800)]


class ScalingRules(KubernetesModel):
    """How one direction may move; what is absent is filled in as the API server does."""

    stabilization_window_seconds: Annotated[int, Strict(), Field(ge=0, le=3600)] | None = None
    select_policy: Literal["Max", "Min", "Disabled"] | None = None
    policies: Annotated[tuple[ScalingPolicy, ...], Field(min_length=1, max_length=_MOST)] | None = None
    tolerance: QuantityFromZero | None = None


class HpaBehavior(KubernetesModel):
    """Rules for both directions."""

    scale_up: ScalingRules | None = None
    scale_down: ScalingRules | None = None


class HpaSpec(KubernetesModel):
    """`spec` of a HorizontalPodAutoscaler."""

    scale_target_ref: Ignored | None = Field(default=None, description="Decides nothing here.")
    min_replicas: Annotated[Int32, Field(ge=0)] | None = None
    max_replicas: Annotated[Int32, Field(ge=1)]
    metrics: Annotated[tuple[MetricSpec, ...], Field(max_length=_MOST)] | None = None
    behavior: HpaBehavior | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas is not None and self.min_replicas > self.max_replicas:
            raise ValueError(f"minReplicas {self.min_replicas} is above maxReplicas {self.max_replicas}")
        return self


class HpaCondition(Ignored):
    """A condition on the object before the first sync."""

    type: Name
    status: Name
    reason: Name = ""


class HpaStatus(Ignored):
    """`status` before the first sync: its conditions carry over, as after the controller's restart."""

    conditions: Annotated[tuple[HpaCondition, ...], FailFast()] = ()


class HpaObject(KubernetesModel):
    """A HorizontalPodAutoscaler of autoscaling/v2."""

    api_version: Literal["autoscaling/v2"] | None = None
    kind: Literal["HorizontalPodAutoscaler"] | None = None
    metadata: Ignored | None = Field(default=None, description="Decides nothing here.")
    spec: HpaSpec
    status: HpaStatus | None = None
