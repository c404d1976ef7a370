"""One metric of the specification, evaluated (horizontal.go:447-510, 541-748)."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.simulate.hpa.census import take_census
from tidegate.simulate.hpa.groups import group_pods
from tidegate.simulate.hpa.outside_metrics import (
    OutsideProposal,
    average_of_total_proposal,
    sum_for_average,
    sum_for_value,
    value_proposal,
)
from tidegate.simulate.hpa.pod_metrics import PodsProposal, average_proposal, utilization_proposal
from tidegate.simulate.hpa.pods import Observation
from tidegate.simulate.hpa.requests import requests_by_pod
from tidegate.simulate.hpa.samples import InvalidMetricError, custom_samples, resource_samples
from tidegate.simulate.hpa.spec import (
    Controller,
    ExternalMetric,
    Metric,
    ObjectMetric,
    PodsMetric,
    ResourceMetric,
    UnknownMetric,
)
from tidegate.simulate.hpa.tolerance import Tolerance

Proposal = PodsProposal | OutsideProposal


@dataclass(frozen=True, slots=True)
class Valid:
    """A metric that asks for a number of replicas."""

    metric: Metric
    proposal: Proposal

    @property
    def replicas(self) -> int:
        """What it asks for."""
        return self.proposal.replicas


@dataclass(frozen=True, slots=True)
class Invalid:
    """A metric that could not be evaluated."""

    metric: Metric
    reason: str
    """The condition's reason, for example `FailedGetResourceMetric`."""
    error: str


def evaluate(
    metric: Metric, observation: Observation, tolerance: Tolerance, controller: Controller
) -> Valid | Invalid:
    """Return what `metric` asks for, or why it asks for nothing."""
    if isinstance(metric, UnknownMetric):
        return Invalid(metric, "InvalidMetricSourceType", f"unknown metric source type {metric.type!r}")
    try:
        return Valid(metric, _propose(metric, observation, tolerance, controller))
    except InvalidMetricError as error:
        return Invalid(metric, f"FailedGet{kind_of(metric)}Metric", f"{_failure(metric)}: {error}")


def kind_of(metric: Metric) -> str:
    """Return the metric's type as the API names it."""
    match metric:
        case ResourceMetric():
            return "Resource" if metric.container is None else "ContainerResource"
        case PodsMetric():
            return "Pods"
        case ObjectMetric():
            return "Object"
        case ExternalMetric():
            return "External"
        case UnknownMetric():
            return metric.type


def name_of(metric: Metric) -> str:
    """Return the resource, with its container, or the name of the metric."""
    if isinstance(metric, ResourceMetric):
        return metric.resource if metric.container is None else f"{metric.resource} of {metric.container}"
    return "" if isinstance(metric, UnknownMetric) else metric.name


def _failure(metric: Metric) -> str:
    kind = {"ContainerResource": "container"}.get(kind_of(metric), kind_of(metric).lower())
    return f"failed to get {name_of(metric)} {kind} metric value"


def _propose(
    metric: ResourceMetric | PodsMetric | ObjectMetric | ExternalMetric,
    observation: Observation,
    tolerance: Tolerance,
    controller: Controller,
) -> Proposal:
    match metric:
        case ResourceMetric():
            return _resource(metric, observation, tolerance, controller)
        case PodsMetric():
            samples = custom_samples(observation.pod_metrics, metric.name)
            _require_pods(observation)
            groups = group_pods(
                observation.pods, samples, cpu=False, controller=controller, now_ns=observation.t_ns
            )
            census = take_census(groups, samples, None)
            return average_proposal(observation.spec_replicas, metric.average_milli, census, tolerance)
        case ObjectMetric():
            return _object(metric, observation, tolerance, controller)
        case ExternalMetric():
            return _external(metric, observation, tolerance, controller)


def _resource(
    metric: ResourceMetric, observation: Observation, tolerance: Tolerance, controller: Controller
) -> PodsProposal:
    if metric.average_milli is None and metric.utilization_percent is None:
        raise InvalidMetricError(
            "neither an average utilization target nor an average value (usage) target was set"
        )
    samples = resource_samples(observation.pods, observation.stray_usage, metric.resource, metric.container)
    groups = group_pods(
        observation.pods,
        samples,
        cpu=metric.resource == "cpu",
        controller=controller,
        now_ns=observation.t_ns,
    )
    if metric.average_milli is not None:
        census = take_census(groups, samples, None)
        return average_proposal(observation.spec_replicas, metric.average_milli, census, tolerance)
    requests = requests_by_pod(observation.pods, metric.resource, metric.container, controller.release)
    census = take_census(groups, samples, requests)
    return utilization_proposal(observation.spec_replicas, metric.utilization_percent or 0, census, tolerance)


def _object(
    metric: ObjectMetric, observation: Observation, tolerance: Tolerance, controller: Controller
) -> OutsideProposal:
    if metric.value_milli is None and metric.average_milli is None:
        raise InvalidMetricError("neither a value target nor an average value target was set")
    if metric.name not in observation.object_metrics:
        raise InvalidMetricError(f"unable to get metric {metric.name}: no value from custom metrics API")
    value = observation.object_metrics[metric.name]
    if metric.value_milli is not None:
        return value_proposal(
            observation.spec_replicas,
            value,
            metric.value_milli,
            observation.pods,
            tolerance,
            bounded=controller.release.bounded_value_proposals,
        )
    return average_of_total_proposal(
        observation.status_replicas, value, metric.average_milli or 0, tolerance, bounded=False
    )


def _external(
    metric: ExternalMetric, observation: Observation, tolerance: Tolerance, controller: Controller
) -> OutsideProposal:
    if metric.value_milli is None and metric.average_milli is None:
        raise InvalidMetricError("neither a value target nor an average value target was set")
    series = observation.external_metrics.get(metric.name)
    if not series:
        raise InvalidMetricError(
            f"unable to get external metric {metric.name}: no metrics returned from external metrics API"
        )
    behaviour = controller.release
    if metric.average_milli is not None:
        bounded = behaviour.bounded_average_proposals
        total = sum_for_average(series, bounded=bounded)
        return average_of_total_proposal(
            observation.status_replicas, total, metric.average_milli, tolerance, bounded=bounded
        )
    bounded = behaviour.bounded_value_proposals
    return value_proposal(
        observation.spec_replicas,
        sum_for_value(series, bounded=bounded),
        metric.value_milli or 0,
        observation.pods,
        tolerance,
        bounded=bounded,
    )


def _require_pods(observation: Observation) -> None:
    if not observation.pods:
        raise InvalidMetricError("no pods returned by selector while calculating replica count")
