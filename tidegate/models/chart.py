"""Render a policy into values of the chart `charts/tidegate-service`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tidegate.models.policy import Policy, ScaleRules, WebPolicy, WorkerPolicy


def _resources(part: WebPolicy | WorkerPolicy) -> dict[str, Any]:
    limits = {"memory": f"{part.memory_limit_mi}Mi"}
    if part.cpu_limit_m is not None:
        limits["cpu"] = f"{part.cpu_limit_m}m"
    return {
        "requests": {"cpu": f"{part.cpu_request_m}m", "memory": f"{part.memory_request_mi}Mi"},
        "limits": limits,
    }


def _behavior(rules: ScaleRules, tolerance: float | None) -> dict[str, Any]:
    rendered: dict[str, Any] = {
        "stabilizationWindowSeconds": rules.stabilization_window_s,
        "selectPolicy": rules.select_policy,
        "policies": [
            {"type": rule.type, "value": rule.value, "periodSeconds": rule.period_s}
            for rule in rules.policies
        ],
    }
    if tolerance is not None:
        # The API takes a resource.Quantity, which JSON carries as text; 0.05 as a float would be refused.
        rendered["tolerance"] = f"{tolerance:f}".rstrip("0").rstrip(".") or "0"
    return rendered


def render(policy: Policy) -> dict[str, Any]:
    """Return chart values for `policy`; see `Policy.chart_values`."""
    web, hpa, worker = policy.web, policy.web.hpa, policy.worker
    return {
        "web": {
            "resources": _resources(web),
            "preStopSeconds": web.drain.pre_stop_s,
            "gracefulTimeoutSeconds": web.drain.graceful_timeout_s,
            "terminationGracePeriodSeconds": web.drain.termination_grace_s,
            "nginx": {
                "enabled": web.nginx.enabled,
                "resources": {
                    "requests": {
                        "cpu": f"{web.nginx.cpu_request_m}m",
                        "memory": f"{web.nginx.memory_request_mi}Mi",
                    },
                    "limits": {"memory": f"{web.nginx.memory_limit_mi}Mi"},
                },
            },
        },
        "hpa": {
            "minReplicas": hpa.min_replicas,
            "maxReplicas": hpa.max_replicas,
            "cpuTargetPercent": hpa.cpu_target_percent,
            "behavior": {
                "scaleUp": _behavior(hpa.scale_up, hpa.tolerance_up),
                "scaleDown": _behavior(hpa.scale_down, hpa.tolerance_down),
            },
        },
        "worker": {
            "replicas": worker.replicas,
            "resources": _resources(worker),
            "terminationGracePeriodSeconds": worker.termination_grace_s,
        },
    }
