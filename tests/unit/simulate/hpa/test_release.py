"""What differs between versions, each by a case in which the versions decide differently."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tidegate.errors import TidegateError
from tidegate.simulate.hpa import Behavior, Controller, Memory, Observation, Spec, decide, release
from tidegate.simulate.hpa.memory import Condition
from tidegate.simulate.hpa.pods import Container, ContainerUsage, Pod, PodUsage
from tidegate.simulate.hpa.spec import NANOS, UP_RULES, ExternalMetric, Metric, ResourceMetric

QUEUE = ExternalMetric("queue", value_milli=1000)
VERSIONS = ("1.33", "1.34", "1.35", "1.36", "1.37")


def pod(name: str = "p", **changes: object) -> Pod:
    usage = PodUsage(990 * NANOS, 15 * NANOS, (ContainerUsage("app", {"cpu": 104}),))
    made = Pod(name, containers=(Container("app", {"cpu": 100}),), usage=usage)
    return replace(made, **changes)


def recommended(version: str, metric: Metric, seen: Observation, **spec: object) -> int | None:
    asked = replace(Spec(max_replicas=2**31 - 1, metrics=(metric,)), **spec)
    return decide(asked, Controller(release=release(version)), Memory(), seen)[0].recommended


def seen(replicas: int = 1, *pods: Pod, queue: tuple[int, ...] = ()) -> Observation:
    metrics = {"queue": queue} if queue else {}
    return Observation(1000 * NANOS, replicas, replicas, pods, external_metrics=metrics)


def by_version(metric: Metric, what: Observation, **spec: object) -> list[int | None]:
    return [recommended(version, metric, what, **spec) for version in VERSIONS]


def test_a_tolerance_of_behavior_counts_since_1_35() -> None:
    behavior = Behavior(up=replace(UP_RULES, tolerance=0.01))
    metric = ResourceMetric("cpu", utilization_percent=100)
    assert by_version(metric, seen(1, pod()), behavior=behavior) == [1, 1, 2, 2, 2]


def test_pod_level_requests_count_since_1_34() -> None:
    metric = ResourceMetric("cpu", utilization_percent=50)
    whole = pod(pod_requests_milli={"cpu": 208})
    assert by_version(metric, seen(1, whole)) == [3, 1, 1, 1, 1]


def test_a_pod_without_the_named_container_fails_the_metric_since_1_35() -> None:
    metric = ResourceMetric("cpu", utilization_percent=50, container="app")
    other = pod("other", containers=(Container("sidecar", {"cpu": 100}),))
    assert by_version(metric, seen(2, pod(), other)) == [9, 9, None, None, None]


def test_values_beyond_int32_are_the_largest_since_1_35() -> None:
    huge = seen(1, pod(), queue=(2**62,))
    assert by_version(QUEUE, huge) == [-(2**31), -(2**31), 2**31 - 1, 2**31 - 1, 2**31 - 1]


def test_averages_beyond_int32_are_the_largest_since_1_34() -> None:
    huge = seen(1, pod(), queue=(2**62,))
    metric = ExternalMetric("queue", average_milli=1000)
    assert by_version(metric, huge) == [-(2**31)] + [2**31 - 1] * 4


def test_sums_beyond_int64_are_the_largest_since_1_34_and_1_35() -> None:
    overflowing = seen(1, pod(), queue=(2**62, 2**62))
    average = ExternalMetric("queue", average_milli=2**60)
    value = ExternalMetric("queue", value_milli=2**60)
    assert by_version(average, overflowing) == [-8, 8, 8, 8, 8]
    assert by_version(value, overflowing) == [-8, -8, 8, 8, 8]


def _zero(
    version: str, least: int, at_zero: bool, gates: dict[str, bool] | None = None
) -> tuple[int, str | None]:
    conditions = {"ScaledToZero": Condition("True", "ScaledToZero")} if at_zero else {}
    spec = Spec(max_replicas=5, min_replicas=least, metrics=(QUEUE,))
    controller = Controller(release=release(version, gates))
    what = Observation(1000 * NANOS, 0, 0, external_metrics={"queue": (3000,)})
    decision, _ = decide(spec, controller, Memory(conditions=conditions), what)
    told = decision.conditions.get("ScaledToZero")
    return decision.desired_replicas, None if told is None else str(told)


def test_leaving_zero() -> None:
    """Before 1.36 minReplicas 0 suffices; in 1.36 it takes the gate, and in 1.37 the condition alone."""
    assert [_zero(version, 0, at_zero=True)[0] for version in VERSIONS] == [3, 3, 3, 0, 3]
    assert [_zero(version, 0, at_zero=False)[0] for version in VERSIONS] == [3, 3, 3, 0, 0]
    assert [_zero(version, 2, at_zero=True)[0] for version in VERSIONS] == [0, 0, 0, 0, 3]
    gate = {"HPAScaleToZero": True}
    assert _zero("1.36", 0, at_zero=True, gates=gate) == (3, "False/NotScaledToZero")
    assert _zero("1.36", 0, at_zero=True) == (0, None)
    assert _zero("1.35", 0, at_zero=True) == (3, "True/ScaledToZero")


def test_going_to_zero_is_remembered_where_the_gate_is_on() -> None:
    spec = Spec(max_replicas=5, min_replicas=0, metrics=(QUEUE,))
    what = seen(1, pod(), queue=(0,))
    patience = {"downscale_stabilization_ns": 0}
    found = [
        decide(spec, Controller(release=release(version), **patience), Memory(recommendations=()), what)[0]
        for version in VERSIONS
    ]
    assert [decision.desired_replicas for decision in found] == [0] * 5
    assert ["ScaledToZero" in decision.conditions for decision in found] == [False] * 4 + [True]


def test_unknown_versions_and_gates_are_refused() -> None:
    assert release("v1.36.3") == release("1.36")
    with pytest.raises(TidegateError, match=r"1\.32.*choose 1\.33"):
        release("1.32")
    with pytest.raises(TidegateError, match="feature gate 'Other' does not change"):
        release("1.36", {"Other": True})
