"""Small histories in the form of `tidegate hpa decide`."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def pod(name: str, cpu: str = "500m", **changes: Any) -> Object:
    """Return a pod that is long Ready and requests half a core, of which it uses `cpu`."""
    return {
        "name": name,
        "phase": "Running",
        "ready": True,
        "ready_transition_s": 10.0,
        "start_s": 0.0,
        "deleting": False,
        "containers": [{"name": "app", "requests": {"cpu": "500m"}}],
        "metrics": {
            "t_s": 990.0,
            "window_s": 15,
            "containers": [{"name": "app", "usage": {"cpu": cpu}}],
        },
        **changes,
    }


def sync(t_s: float, replicas: int, cpu: str = "500m", **changes: Any) -> Object:
    """Return what the controller sees with all `replicas` pods Ready and equally busy."""
    return {
        "t_s": t_s,
        "spec_replicas": replicas,
        "status_replicas": replicas,
        "pods": [pod(f"p{number}", cpu) for number in range(replicas)],
        "pod_metrics": {},
        "object_metrics": {},
        "external_metrics": {},
        **changes,
    }


def cpu_metric(percent: int = 50) -> Object:
    """Return a CPU target in percent."""
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


def external_metric(value: str = "30", name: str = "queue") -> Object:
    """Return an external metric with a target for all replicas together."""
    return {
        "type": "External",
        "external": {"metric": {"name": name}, "target": {"type": "Value", "value": value}},
    }


def history(
    *syncs: Object, metrics: list[Object] | None = None, version: str = "1.36", **spec: Any
) -> Object:
    """Return a history of an autoscaler from 1 to 10 replicas at half of the requested CPU."""
    return {
        "hpa": {"spec": {"minReplicas": 1, "maxReplicas": 10, "metrics": metrics or [cpu_metric()], **spec}},
        "controller": {"version": version},
        "syncs": list(syncs),
    }
