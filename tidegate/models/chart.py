"""Render a policy into values of the chart `charts/tidegate-service`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidegate.models.node_group import GROUP_LABEL

if TYPE_CHECKING:
    from tidegate.models.policy import Policy, ScaleRules, WebPolicy, WorkerPolicy
    from tidegate.models.vertical import VpaPolicy


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


def _vertical(vpa: VpaPolicy) -> dict[str, Any]:
    return {
        "mode": vpa.mode,
        "controlledResources": list(vpa.controlled),
        "minAllowed": {"cpu": f"{vpa.min_cpu_m}m", "memory": f"{vpa.min_memory_mi}Mi"},
        "maxAllowed": {"cpu": f"{vpa.max_cpu_m}m", "memory": f"{vpa.max_memory_mi}Mi"},
    }


def _tolerations(policy: Policy) -> list[dict[str, str]]:
    """Let the service's pods onto every dedicated group: the service is what they are dedicated to."""
    return [
        {"key": GROUP_LABEL, "operator": "Equal", "value": group.name, "effect": "NoSchedule"}
        for group in policy.node_groups
        if group.dedicated
    ]


def render(policy: Policy) -> dict[str, Any]:
    """Return chart values for `policy`; see `Policy.chart_values`."""
    web, hpa, worker = policy.web, policy.web.hpa, policy.worker
    queue, headroom = policy.worker.queue, policy.headroom
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
            "vpa": _vertical(web.vpa),
        },
        "hpa": {
            "minReplicas": hpa.min_replicas,
            "maxReplicas": hpa.max_replicas,
            "metric": hpa.metric,
            "rpsPerPod": hpa.rps_per_pod,
            "cpuTargetPercent": hpa.cpu_target_percent,
            "behavior": {
                "scaleUp": _behavior(hpa.scale_up, hpa.tolerance_up),
                "scaleDown": _behavior(hpa.scale_down, hpa.tolerance_down),
            },
        },
        "worker": {
            "scaleBy": worker.scale_by,
            "replicas": worker.replicas,
            "queue": {
                "minReplicas": queue.min_replicas,
                "maxReplicas": queue.max_replicas,
                "depthTarget": queue.depth_target,
                "ageTargetSeconds": queue.age_target_s,
                "pollingSeconds": queue.polling_s,
                "cooldownSeconds": queue.cooldown_s,
                "scaleDownWindowSeconds": queue.scale_down_window_s,
            },
            "resources": _resources(worker),
            "terminationGracePeriodSeconds": worker.termination_grace_s,
            "vpa": _vertical(worker.vpa),
        },
        "headroom": {
            "replicas": headroom.replicas,
            "cpu": f"{headroom.cpu_m}m",
            "memory": f"{headroom.memory_mi}Mi",
        },
        "tolerations": _tolerations(policy),
    }
