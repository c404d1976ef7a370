from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tidegate.models import (
    DrainPolicy,
    HpaPolicy,
    NginxPolicy,
    Policy,
    ScaleRule,
    ScaleRules,
    WebPolicy,
    WorkerPolicy,
)

RULE = ScaleRule(type="Pods", value=4, period_s=15)


def test_defaults_are_those_of_the_local_demonstration() -> None:
    web = Policy().web
    assert (web.cpu_request_m, web.cpu_limit_m, web.memory_request_mi, web.memory_limit_mi) == (
        100,
        500,
        160,
        256,
    )
    assert (web.hpa.min_replicas, web.hpa.max_replicas, web.hpa.cpu_target_percent) == (2, 12, 60)
    assert (web.drain.pre_stop_s, web.drain.graceful_timeout_s, web.drain.termination_grace_s) == (5, 20, 35)


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Policy().web = WebPolicy()  # type: ignore[misc]


@pytest.mark.parametrize(
    ("model", "values", "said"),
    [
        (HpaPolicy, {"min_replicas": 5, "max_replicas": 4}, "min_replicas 5 is above max_replicas 4"),
        (HpaPolicy, {"min_replicas": 0}, "min_replicas"),
        (HpaPolicy, {"cpu_target_percent": 0}, "cpu_target_percent"),
        (HpaPolicy, {"tolerance_up": -0.01}, "tolerance_up"),
        (HpaPolicy, {"tolerance_down": 1.01}, "tolerance_down"),
        (WebPolicy, {"cpu_limit_m": 99}, "cpu_limit_m 99 is below cpu_request_m 100"),
        (WebPolicy, {"memory_limit_mi": 159}, "memory_limit_mi 159 is below memory_request_mi 160"),
        (WorkerPolicy, {"cpu_request_m": 501}, "cpu_limit_m 500 is below cpu_request_m 501"),
        (WorkerPolicy, {"replicas": -1}, "replicas"),
        (DrainPolicy, {"termination_grace_s": 29}, "below 30"),
        (ScaleRule, {"type": "Pods", "value": 0, "period_s": 15}, "value"),
        (ScaleRule, {"type": "Pods", "value": 1, "period_s": 1801}, "period_s"),
        (ScaleRule, {"type": "Replicas", "value": 1, "period_s": 15}, "type"),
        (ScaleRules, {"stabilization_window_s": 3601, "policies": (RULE,)}, "stabilization_window_s"),
        (ScaleRules, {"stabilization_window_s": 0, "policies": ()}, "policies"),
        (
            ScaleRules,
            {"stabilization_window_s": 0, "policies": (RULE,), "select_policy": "Most"},
            "select_policy",
        ),
        (WebPolicy, {"cpu_request_m": "100"}, "cpu_request_m"),
        (WebPolicy, {"cpu_request_m": True}, "cpu_request_m"),
        (WebPolicy, {"cpu": 100}, "cpu"),
    ],
)
def test_what_kubernetes_or_reason_forbids_is_refused(model: Any, values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        model(**values)


def test_bounds_themselves_are_allowed() -> None:
    assert DrainPolicy(termination_grace_s=30).termination_grace_s == 30
    assert WebPolicy(cpu_request_m=500).cpu_limit_m == 500
    assert WebPolicy(cpu_limit_m=None).cpu_limit_m is None
    assert HpaPolicy(min_replicas=12).max_replicas == 12
    assert ScaleRule(type="Percent", value=1, period_s=1800).period_s == 1800


def test_chart_values_of_the_default() -> None:
    resources = {"requests": {"cpu": "100m", "memory": "160Mi"}, "limits": {"cpu": "500m", "memory": "256Mi"}}
    policies = [
        {"type": "Percent", "value": 100, "periodSeconds": 15},
        {"type": "Pods", "value": 4, "periodSeconds": 15},
    ]
    vpa = {
        "mode": "none",
        "controlledResources": ["memory"],
        "minAllowed": {"cpu": "25m", "memory": "64Mi"},
        "maxAllowed": {"cpu": "500m", "memory": "256Mi"},
    }
    assert Policy().chart_values() == {
        "web": {
            "resources": resources,
            "preStopSeconds": 5,
            "gracefulTimeoutSeconds": 20,
            "terminationGracePeriodSeconds": 35,
            "nginx": {
                "enabled": False,
                "resources": {"requests": {"cpu": "20m", "memory": "24Mi"}, "limits": {"memory": "64Mi"}},
            },
            "vpa": vpa,
        },
        "hpa": {
            "minReplicas": 2,
            "maxReplicas": 12,
            "metric": "cpu",
            "rpsPerPod": 40,
            "cpuTargetPercent": 60,
            "behavior": {
                "scaleUp": {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": policies},
                "scaleDown": {
                    "stabilizationWindowSeconds": 300,
                    "selectPolicy": "Max",
                    "policies": policies[:1],
                },
            },
        },
        "worker": {
            "scaleBy": "fixed",
            "replicas": 1,
            "queue": {
                "minReplicas": 0,
                "maxReplicas": 8,
                "depthTarget": 20,
                "ageTargetSeconds": 10,
                "pollingSeconds": 5,
                "cooldownSeconds": 60,
                "scaleDownWindowSeconds": 300,
            },
            "resources": resources,
            "terminationGracePeriodSeconds": 35,
            "vpa": vpa,
        },
        "headroom": {"replicas": 0, "cpu": "500m", "memory": "256Mi"},
        "tolerations": [],
    }


def test_a_node_must_hold_all_containers_of_a_pod() -> None:
    assert WebPolicy(cpu_request_m=100).pod_cpu_request_m == 100
    assert WebPolicy(cpu_request_m=100, nginx=NginxPolicy(enabled=True)).pod_cpu_request_m == 120
    with pytest.raises(ValidationError, match="memory_limit_mi 8 is below"):
        NginxPolicy(memory_limit_mi=8)


def test_unset_values_are_left_out_of_the_chart() -> None:
    values = Policy(web=WebPolicy(cpu_limit_m=None)).chart_values()
    assert values["web"]["resources"]["limits"] == {"memory": "256Mi"}
    assert "tolerance" not in values["hpa"]["behavior"]["scaleUp"]


@pytest.mark.parametrize(
    ("tolerance", "rendered"), [(0.05, "0.05"), (0.0, "0"), (1.0, "1"), (0.000001, "0.000001")]
)
def test_tolerance_is_a_quantity_in_each_direction(tolerance: float, rendered: str) -> None:
    hpa = HpaPolicy(tolerance_up=tolerance)
    behavior = Policy(web=WebPolicy(hpa=hpa)).chart_values()["hpa"]["behavior"]
    assert behavior["scaleUp"]["tolerance"] == rendered
    assert "tolerance" not in behavior["scaleDown"]


@given(
    request=st.integers(1, 1000),
    limit=st.none() | st.integers(1, 1000),
    low=st.integers(1, 50),
    high=st.integers(1, 50),
    grace=st.integers(1, 100),
)
def test_every_accepted_policy_survives_json_and_is_consistent(
    request: int, limit: int | None, low: int, high: int, grace: int
) -> None:
    try:
        policy = Policy(
            web=WebPolicy(
                cpu_request_m=request,
                cpu_limit_m=limit,
                hpa=HpaPolicy(min_replicas=low, max_replicas=high),
                drain=DrainPolicy(termination_grace_s=grace),
            )
        )
    except ValidationError:
        assert low > high or grace < 30 or (limit is not None and limit < request)
        return
    assert low <= high
    assert grace >= 30
    assert limit is None or limit >= request
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
