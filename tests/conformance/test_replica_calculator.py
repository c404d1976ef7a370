"""replica_calculator_test.go: replicas from one metric, pods by group, requests by pod."""

from __future__ import annotations

import math
import re

import pytest
from support import hpa_cases
from support.hpa_cases import NOW_NS, Case

from tidegate.simulate.hpa import Observation
from tidegate.simulate.hpa.evaluate import Invalid, Valid, evaluate
from tidegate.simulate.hpa.groups import group_pods
from tidegate.simulate.hpa.requests import requests_by_pod
from tidegate.simulate.hpa.samples import InvalidMetricError, Sample
from tidegate.simulate.hpa.spec import NANOS
from tidegate.simulate.hpa.tolerance import Tolerance

FILE = "replica_calculator.json"


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "replicas"))
def test_replicas(case: Case) -> None:
    controller = hpa_cases.controller(FILE, case)
    tolerance = case.get("tolerance", {"down": controller.tolerance, "up": controller.tolerance})
    seen = Observation(
        t_ns=NOW_NS,
        spec_replicas=case["current"],
        status_replicas=case["current"],
        pods=hpa_cases.pods(case),
        pod_metrics=case.get("pod_metrics", {}),
        object_metrics=case.get("object_metrics", {}),
        external_metrics=hpa_cases.series(case),
        stray_usage=hpa_cases.strays(case),
    )

    found = evaluate(hpa_cases.metric(case["metric"]), seen, Tolerance(**tolerance), controller)

    expected = case["expected"]
    if "error" in expected:
        assert isinstance(found, Invalid)
        assert expected["error"] in found.error
        return
    assert isinstance(found, Valid)
    assert found.replicas == expected["replicas"]
    if "value" in expected:
        assert found.proposal.value == expected["value"]
    if "value_per_replica" in expected:
        value, replicas = found.proposal.value, case["current"]
        largest = 2**63 - 1
        shown = largest if float(value) >= float(largest) else math.ceil(value / replicas)
        assert shown == expected["value_per_replica"]


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "groups"))
def test_groups(case: Case) -> None:
    samples = {
        pod: Sample(one["value"], hpa_cases.time_ns(one.get("t_s")), round(one.get("window_s", 0) * NANOS))
        for pod, one in case["samples"].items()
    }
    groups = group_pods(
        hpa_cases.pods(case),
        samples,
        cpu=case["resource"] == "cpu",
        controller=hpa_cases.controller(FILE, case),
        now_ns=NOW_NS,
    )
    assert {
        "ready": len(groups.ready),
        "unready": sorted(groups.unready),
        "missing": sorted(groups.missing),
        "ignored": sorted(groups.ignored),
    } == case["expected"]


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "requests"))
def test_requests(case: Case) -> None:
    behaviour = hpa_cases.controller(FILE, case).release
    arguments = (hpa_cases.pods(case), case["resource"], case["container"], behaviour)
    if "error" in case["expected"]:
        with pytest.raises(InvalidMetricError, match=re.escape(case["expected"]["error"])):
            requests_by_pod(*arguments)
    else:
        assert requests_by_pod(*arguments) == case["expected"]["requests"]
