"""Cluster records of a VerticalPodAutoscaler that publishes, and of the Deployment that it is about."""

from __future__ import annotations

from typing import Any

from support.synthetic_run import Event


def _vertical(target: dict[str, str] | None) -> dict[str, Any]:
    said = {
        "containerName": "web",
        "target": target,
        "lowerBound": {"cpu": "25m", "memory": "64Mi"},
        "upperBound": {"cpu": "1500m", "memory": "1Gi"},
        "uncappedTarget": {"cpu": "80m", "memory": "112459776"},
    }
    return {
        "metadata": {"name": "tidegate-web", "uid": "uid-vpa"},
        "spec": {"targetRef": {"name": "tidegate-web"}, "updatePolicy": {"updateMode": "Off"}},
        "status": {"recommendation": {"containerRecommendations": [said]}} if target else {},
    }


def advice() -> tuple[Event, ...]:
    """Return the records: no opinion, a first one, the last one."""
    resources = {"requests": {"cpu": "100m", "memory": "160Mi"}, "limits": {"memory": "256Mi"}}
    deployment = {
        "metadata": {"name": "tidegate-web", "uid": "uid-deploy"},
        "spec": {"replicas": 2, "containers": [{"name": "web", "resources": resources}]},
    }
    first, last = {"cpu": "50m", "memory": "100Mi"}, {"cpu": "83m", "memory": "134217728"}
    return (
        (-19.5, "SNAPSHOT", "Deployment", deployment),
        (-19.0, "SNAPSHOT", "VerticalPodAutoscaler", _vertical(None)),
        (30.0, "MODIFIED", "VerticalPodAutoscaler", _vertical(first)),
        (60.0, "MODIFIED", "VerticalPodAutoscaler", _vertical(last)),
    )
