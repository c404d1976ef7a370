"""horizontal_test.go, the tests that run the whole controller."""

from __future__ import annotations

import pytest
from support import hpa_cases
from support.hpa_cases import NOW_NS, Case

from tidegate.simulate.hpa import Memory, Observation, Spec, decide
from tidegate.simulate.hpa.evaluate import Valid
from tidegate.simulate.hpa.memory import Condition
from tidegate.simulate.hpa.spec import ResourceMetric

FILE = "controller.json"


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE))
def test_sync(case: Case) -> None:
    spec = Spec(
        max_replicas=case["max_replicas"],
        min_replicas=case["min_replicas"],
        metrics=tuple(hpa_cases.metric(one) for one in case["metrics"]),
        behavior=hpa_cases.behavior(case.get("behavior")),
    )
    memory = Memory(
        recommendations=hpa_cases.recommendations(case) if "recommendations" in case else None,
        conditions={name: Condition(*told.split("/")) for name, told in case.get("conditions", {}).items()},
    )
    seen = Observation(
        t_ns=NOW_NS,
        spec_replicas=case["spec_replicas"],
        status_replicas=case["status_replicas"],
        pods=hpa_cases.pods(case),
        pod_metrics=case.get("pod_metrics", {}),
        object_metrics=case.get("object_metrics", {}),
        external_metrics=hpa_cases.series(case),
        stray_usage=hpa_cases.strays(case),
        fault=case.get("fault"),
    )

    decision, _ = decide(spec, hpa_cases.controller(FILE, case), memory, seen)

    expected = case["expected"]
    assert decision.desired_replicas == expected["desired_replicas"]
    assert {name: str(told) for name, told in decision.conditions.items()} == expected["conditions"]
    if "cpu_percent" in expected:
        percents = [
            metric.proposal.value
            for metric in decision.metrics
            if isinstance(metric, Valid)
            and isinstance(metric.metric, ResourceMetric)
            and metric.metric.resource == "cpu"
            and metric.metric.container is None
        ]
        assert percents == [expected["cpu_percent"]]
