"""From the models of a line to the state that decisions are made on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from tidegate.simulate.hpa.arithmetic import float_to_int64
from tidegate.simulate.hpa.memory import Condition, Memory
from tidegate.simulate.hpa.pods import (
    ZERO_TIME_NS,
    Container,
    ContainerUsage,
    Observation,
    Pod,
    PodUsage,
    Ready,
)
from tidegate.simulate.hpa.quantity import parse_quantity
from tidegate.simulate.hpa.release import release
from tidegate.simulate.hpa.spec import (
    CPU_AT_80,
    DOWN_RULES,
    NANOS,
    UP_RULES,
    Behavior,
    Controller,
    ExternalMetric,
    Metric,
    ObjectMetric,
    PodsMetric,
    RatePolicy,
    ResourceMetric,
    Rules,
    Spec,
)
from tidegate.simulate.wire.history import ControllerFlags, PodMetrics, PodState, Sync
from tidegate.simulate.wire.hpa import HpaObject, MetricSpec, ScalingRules

_READY = {True: Ready.TRUE, False: Ready.FALSE, None: Ready.ABSENT, "Unknown": Ready.UNKNOWN}


def seconds_to_ns(seconds: float) -> int:
    """Return whole nanoseconds, cut as Go's `time.Duration(seconds * float64(time.Second))` cuts them.

    Two times with a fraction may so come out a nanosecond nearer than their digits say. That decides only
    where a window ends exactly on a sync, and there it decides as the Go code does that reads seconds.
    """
    return float_to_int64(seconds * NANOS)


def controller_of(flags: ControllerFlags) -> Controller:
    """Return the controller with `flags`.

    Raises:
        TidegateError: the version or a feature gate is unknown.
    """
    return Controller(
        tolerance=flags.tolerance,
        downscale_stabilization_ns=seconds_to_ns(flags.downscale_stabilization_s),
        cpu_initialization_ns=seconds_to_ns(flags.cpu_initialization_period_s),
        initial_readiness_delay_ns=seconds_to_ns(flags.initial_readiness_delay_s),
        sync_period_ns=seconds_to_ns(flags.sync_period_s),
        release=release(flags.version, flags.feature_gates),
    )


def spec_of(hpa: HpaObject) -> Spec:
    """Return what `hpa` asks for, with the API server's defaults filled in."""
    asked = hpa.spec
    behavior = None
    if asked.behavior is not None:
        behavior = Behavior(
            _filled(asked.behavior.scale_up, UP_RULES), _filled(asked.behavior.scale_down, DOWN_RULES)
        )
    return Spec(
        max_replicas=asked.max_replicas,
        min_replicas=1 if asked.min_replicas is None else asked.min_replicas,
        metrics=tuple(_metric(metric) for metric in asked.metrics or ()) or (CPU_AT_80,),
        behavior=behavior,
    )


def memory_of(hpa: HpaObject) -> Memory:
    """Return the memory before the first sync: nothing but the conditions on the object."""
    conditions = hpa.status.conditions if hpa.status is not None else ()
    return Memory(conditions={one.type: Condition(one.status, one.reason) for one in conditions})


def observation_of(sync: Sync) -> Observation:
    """Return what the controller saw."""
    return Observation(
        t_ns=seconds_to_ns(sync.t_s),
        spec_replicas=sync.spec_replicas,
        status_replicas=sync.status_replicas,
        pods=tuple(_pod(pod) for pod in sync.pods),
        pod_metrics={
            name: {pod: _plain_milli(value) for pod, value in cast("dict[str, float]", values).items()}
            for name, values in sync.pod_metrics.items()
        },
        object_metrics={name: _plain_milli(value) for name, value in sync.object_metrics.items()},
        external_metrics={
            name: tuple(_plain_milli(value) for value in cast("list[float]", series))
            for name, series in sync.external_metrics.items()
        },
        stray_usage={name: _usage(metrics) for name, metrics in sync.stray_metrics.items()},
        fault=sync.fault,
    )


def _plain_milli(value: float) -> int:
    """Return a plain number in whole milli-units, cut towards zero."""
    return float_to_int64(float(value) * 1000)


def _filled(asked: ScalingRules | None, default: Rules) -> Rules:
    """Return the rules with every absent field as the API server fills it (defaults.go:128-147)."""
    if asked is None:
        return default
    window_s, policies = asked.stabilization_window_seconds, asked.policies
    return Rules(
        select=asked.select_policy or default.select,
        policies=default.policies
        if policies is None
        else tuple(RatePolicy(policy.type, policy.value, policy.period_seconds) for policy in policies),
        window_s=default.window_s if window_s is None else window_s,
        tolerance=None if asked.tolerance is None else parse_quantity(asked.tolerance).approximate(),
    )


def _metric(asked: MetricSpec) -> Metric:
    if (source := asked.resource) is not None:
        target = source.target
        return ResourceMetric(source.name, target.average_utilization, _milli(target.average_value))
    if (source := asked.container_resource) is not None:
        target, average = source.target, _milli(source.target.average_value)
        return ResourceMetric(source.name, target.average_utilization, average, source.container)
    if (source := asked.pods) is not None:
        return PodsMetric(source.metric.name, _milli(source.target.average_value) or 0)
    if (source := asked.object) is not None:
        # Of an object only the value that the type names counts (horizontal.go:553, 564).
        target = source.target
        return ObjectMetric(
            source.metric.name,
            value_milli=_milli(target.value) if target.type == "Value" else None,
            average_milli=_milli(target.average_value) if target.type == "AverageValue" else None,
        )
    if (source := asked.external) is not None:
        target = source.target
        return ExternalMetric(source.metric.name, _milli(target.value), _milli(target.average_value))
    raise ValueError(f"a metric of type {asked.type} without its source")


def _milli(quantity: str | None) -> int | None:
    return None if quantity is None else parse_quantity(quantity).milli()


def _amounts(quantities: Mapping[str, str]) -> dict[str, int]:
    return {name: parse_quantity(amount).milli() for name, amount in quantities.items()}


def _pod(pod: PodState) -> Pod:
    return Pod(
        name=pod.name,
        phase=pod.phase,
        ready=_READY[pod.ready],
        ready_since_ns=ZERO_TIME_NS
        if pod.ready_transition_s is None
        else seconds_to_ns(pod.ready_transition_s),
        started_ns=None if pod.start_s is None else seconds_to_ns(pod.start_s),
        deleting=pod.deleting,
        containers=tuple(Container(part.name, _amounts(part.requests)) for part in pod.containers),
        usage=None if pod.metrics is None else _usage(pod.metrics),
        pod_requests_milli=_amounts(pod.requests),
        init_requests_milli=_amounts(pod.init_requests),
    )


def _usage(metrics: PodMetrics) -> PodUsage:
    return PodUsage(
        seconds_to_ns(metrics.t_s),
        seconds_to_ns(metrics.window_s),
        tuple(ContainerUsage(part.name, _amounts(part.usage)) for part in metrics.containers),
    )
