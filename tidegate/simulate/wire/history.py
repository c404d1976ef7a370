"""One input line: an autoscaler, the controller's flags, and what the controller saw at each sync."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self, cast

from pydantic import BeforeValidator, FailFast, Field, WithJsonSchema, model_validator

from tidegate.simulate.hpa.pods import Fault
from tidegate.simulate.hpa.release import LATEST_PROVEN
from tidegate.simulate.wire.base import (
    LineModel,
    Moment,
    Name,
    Numbers,
    Quantities,
    Ratio,
    Replicas,
    Span,
    number,
    numbers,
)
from tidegate.simulate.wire.hpa import HpaObject

_MOST = 1000
"""Containers of one pod: far above any in use, and a bound for hostile input."""


class ControllerFlags(LineModel):
    """Flags of kube-controller-manager; the defaults are its own."""

    sync_period_s: Span = Field(default=15, description="Time between syncs. Decides nothing in a history.")
    tolerance: Ratio = Field(default=0.1, description="Ratio off target that is ignored.")
    downscale_stabilization_s: Span = Field(default=300, description="Time a high recommendation holds.")
    cpu_initialization_period_s: Span = Field(
        default=300, description="Time after its start in which a pod's CPU counts only once it is Ready."
    )
    initial_readiness_delay_s: Span = Field(
        default=30, description="Time after its start until which becoming unready is part of starting."
    )
    version: Annotated[str, Field(max_length=40)] = Field(
        default=LATEST_PROVEN, description="Kubernetes version, 1.33 to 1.37, whose behaviour counts."
    )
    feature_gates: dict[Name, bool] = Field(
        default_factory=dict,
        description="Gates set otherwise than the version's default: HPAScaleToZero, "
        "HPAConfigurableTolerance, PodLevelResources.",
    )


class ContainerSpec(LineModel):
    """A regular or restartable init container."""

    name: Name
    requests: Quantities = Field(default_factory=dict, description="Amounts by resource.")


class ContainerMetrics(LineModel):
    """What one container used."""

    name: Name
    usage: Quantities = Field(default_factory=dict, description="Amounts by resource; one may be absent.")


class PodMetrics(LineModel):
    """The metrics API's answer for one pod."""

    t_s: Moment = Field(description="End of the window.")
    window_s: Span = Field(description="Length of the window.")
    containers: Annotated[tuple[ContainerMetrics, ...], FailFast(), Field(max_length=_MOST)] = ()


class PodState(LineModel):
    """One pod that the selector matches."""

    name: Name
    phase: Literal["Pending", "Running", "Succeeded", "Failed", "Unknown"]
    ready: bool | Literal["Unknown"] | None = Field(description="Ready condition; null: there is none.")
    ready_transition_s: Moment | None = Field(default=None, description="When it last changed.")
    start_s: Moment | None = Field(description="status.startTime; null: none.")
    deleting: bool = Field(default=False, description="Whether it has a deletionTimestamp.")
    containers: Annotated[tuple[ContainerSpec, ...], FailFast(), Field(max_length=_MOST)] = ()
    requests: Quantities = Field(default_factory=dict, description="Requests of the pod as a whole.")
    init_requests: Quantities = Field(
        default_factory=dict,
        description="Most that ordinary init containers request at once; counts only beside `requests`.",
    )
    metrics: PodMetrics | None = Field(default=None, description="null: the pod has no metrics.")


def _by_pod(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("must be an object of metrics")  # noqa: TRY004 - pydantic tells ValueErrors to the user
    for values in cast("dict[str, object]", value).values():
        numbers(values)
    return cast("object", value)


def _by_series(value: object) -> object:
    if not isinstance(value, dict):
        raise ValueError("must be an object of metrics")  # noqa: TRY004 - as above
    for name, series in cast("dict[str, object]", value).items():
        if not isinstance(series, list):
            raise ValueError(f"{name[:60]} must be a list with the number of each series")  # noqa: TRY004
        for one in cast("list[object]", series):
            number(one, name)
    return cast("object", value)


ByPod = Annotated[
    dict[str, Any],
    BeforeValidator(_by_pod),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": "object", "additionalProperties": {"type": "number"}},
        }
    ),
]
BySeries = Annotated[
    dict[str, Any],
    BeforeValidator(_by_series),
    WithJsonSchema(
        {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number"}}}
    ),
]


class Sync(LineModel):
    """What the controller saw at one sync."""

    t_s: Moment = Field(description="When.")
    spec_replicas: Replicas = Field(description="spec.replicas of the Scale.")
    status_replicas: Replicas = Field(description="status.replicas of the Scale.")
    pods: Annotated[tuple[PodState, ...], FailFast()] = ()
    pod_metrics: ByPod = Field(default_factory=dict, description="Value by metric and pod.")
    object_metrics: Numbers = Field(default_factory=dict, description="Value by metric.")
    external_metrics: BySeries = Field(default_factory=dict, description="Values of the series by metric.")
    stray_metrics: dict[Name, PodMetrics] = Field(
        default_factory=dict, description="Metrics of pods that are in no list any more, by name."
    )
    fault: Fault | None = Field(
        default=None, description="What went wrong around the metrics; absent or null: nothing."
    )


class History(LineModel):
    """One line of input. The first sync is the first that the controller makes for this autoscaler."""

    hpa: HpaObject
    controller: ControllerFlags = Field(default_factory=ControllerFlags)
    syncs: Annotated[tuple[Sync, ...], FailFast()] = Field(description="In order of time.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for place, sync in enumerate(self.syncs):
            if place and sync.t_s < self.syncs[place - 1].t_s:
                raise ValueError(f"syncs[{place}] is earlier than the one before it")
            if len({pod.name for pod in sync.pods}) < len(sync.pods):
                raise ValueError(f"syncs[{place}] has two pods of one name")
        return self
