"""Load the conformance cases: our own form of the inputs and outputs of the controller's own tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from tidegate.simulate.hpa import Behavior, Controller, release
from tidegate.simulate.hpa.memory import Recommendation, ScaleEvent
from tidegate.simulate.hpa.pods import (
    ZERO_TIME_NS,
    Container,
    ContainerUsage,
    Pod,
    PodUsage,
    Ready,
)
from tidegate.simulate.hpa.quantity import parse_quantity
from tidegate.simulate.hpa.spec import (
    DOWN_RULES,
    NANOS,
    UP_RULES,
    ExternalMetric,
    Metric,
    ObjectMetric,
    PodsMetric,
    RatePolicy,
    ResourceMetric,
    Rules,
    UnknownMetric,
)

Case = dict[str, Any]

DATA = Path(__file__).parents[1] / "conformance" / "data"
NOW_NS = 1_000_000 * NANOS


def load(name: str) -> tuple[dict[str, Any], list[Case]]:
    """Return the constants and the cases of a file."""
    found = json.loads((DATA / name).read_text())
    return found.get("constants", {}), found["cases"]


def parameters(name: str, *kinds: str) -> list[Any]:
    """Return the cases of a file, of the named kinds, as pytest's parameters."""
    _, cases = load(name)
    return [pytest.param(case, id=case_id(case)) for case in cases if not kinds or case["kind"] in kinds]


def case_id(case: Case) -> str:
    """Return test and case of the origin."""
    origin = case["origin"]
    return f"{origin['test']}-{origin['case']}" if "case" in origin else origin["test"]


def controller(name: str, case: Case) -> Controller:
    """Return the controller as the file's tests set it up."""
    constants, _ = load(name)
    return Controller(
        tolerance=constants["tolerance"],
        downscale_stabilization_ns=constants["downscale_stabilization_s"] * NANOS,
        cpu_initialization_ns=constants["cpu_initialization_s"] * NANOS,
        initial_readiness_delay_ns=constants["initial_readiness_delay_s"] * NANOS,
        release=release("1.36", case.get("gates")),
        up_factor=constants["up_factor"],
    )


def time_ns(seconds: float | None) -> int:
    """Return a time of the data; none is Go's zero time."""
    return ZERO_TIME_NS if seconds is None else NOW_NS + round(seconds * NANOS)


def metric(case: Case) -> Metric:
    """Return a metric of the specification."""
    fields = {key: value for key, value in case.items() if key != "type"}
    match case["type"]:
        case "Resource" | "ContainerResource":
            return ResourceMetric(**fields)
        case "Pods":
            return PodsMetric(**fields)
        case "Object":
            return ObjectMetric(**fields)
        case "External":
            return ExternalMetric(**fields)
        case other:
            return UnknownMetric(other)


def rules(case: Case | None, default: Rules) -> Rules:
    """Return rules with the API server's defaults where the case has nothing."""
    if case is None:
        return default
    policies = [RatePolicy(*policy) for policy in case.get("policies", [])]
    tolerance = case.get("tolerance")
    return Rules(
        select=case.get("select", default.select),
        policies=tuple(policies) if "policies" in case else default.policies,
        window_s=case.get("window_s", default.window_s),
        tolerance=None if tolerance is None else parse_quantity(tolerance).approximate(),
    )


def behavior(case: Case | None) -> Behavior | None:
    """Return the behavior of a case."""
    if case is None:
        return None
    return Behavior(rules(case.get("up"), UP_RULES), rules(case.get("down"), DOWN_RULES))


def pods(case: Case) -> tuple[Pod, ...]:
    """Return the pods of a case with their usage."""
    usages = usage(case)
    return tuple(_pod(one, usages.get(one["name"])) for one in case["pods"])


def usage(case: Case) -> dict[str, PodUsage]:
    """Return what the metrics API says by pod, of pods that are there and of pods that are not."""
    return {
        name: PodUsage(
            time_ns(one["t_s"]),
            round(one["window_s"] * NANOS),
            tuple(ContainerUsage(part, amounts) for part, amounts in one["containers"].items()),
        )
        for name, one in cast("dict[str, Case]", case.get("usage", {})).items()
    }


def strays(case: Case) -> dict[str, PodUsage]:
    """Return the metrics of pods that are in no list."""
    known = {one["name"] for one in case["pods"]}
    return {name: one for name, one in usage(case).items() if name not in known}


def series(case: Case) -> dict[str, tuple[int, ...]]:
    """Return the external metrics."""
    found = cast("dict[str, list[int]]", case.get("external_metrics", {}))
    return {name: tuple(values) for name, values in found.items()}


def recommendations(case: Case) -> tuple[Recommendation, ...]:
    """Return the recommendations that the controller remembers."""
    return tuple(Recommendation(replicas, time_ns(t_s)) for replicas, t_s in case["recommendations"])


def events(cases: list[Case] | None) -> tuple[ScaleEvent, ...]:
    """Return scale events."""
    return tuple(
        ScaleEvent(one["change"], time_ns(one["t_s"]), one.get("outdated", False)) for one in cases or []
    )


def _pod(case: Case, used: PodUsage | None) -> Pod:
    started = case.get("started_s")
    containers = cast("dict[str, dict[str, int]]", case.get("requests_milli", {}))
    return Pod(
        name=case["name"],
        phase=case.get("phase", "Running"),
        ready=Ready(case.get("ready", "True")),
        ready_since_ns=time_ns(case.get("ready_since_s")),
        started_ns=None if started == "absent" else time_ns(started),
        deleting=case.get("deleting", False),
        containers=tuple(Container(name, requests) for name, requests in containers.items()),
        usage=used,
        pod_requests_milli=case.get("pod_requests_milli", {}),
    )
