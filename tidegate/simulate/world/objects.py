"""Kubernetes objects of the simulated cluster, as the recorder of a real one would have kept them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from tidegate.models import Policy
from tidegate.run.format import WEB_COMPONENT, WEB_NAME
from tidegate.simulate.hpa import Decision
from tidegate.simulate.hpa.evaluate import Valid
from tidegate.simulate.world.pod import Pod

NAMESPACE = "tidegate"
Object = dict[str, Any]


def iso(unix_s: float) -> str:
    """Return the API's form of a time: whole seconds, cut off."""
    return datetime.fromtimestamp(int(unix_s), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod_object(pod: Pod, now_s: float, epoch_s: float, grace_s: int) -> Object:
    """Return `pod` as it is at `now_s`."""

    def condition(kind: str, since_s: float) -> Object:
        true = since_s <= now_s
        return {
            "type": kind,
            "status": "True" if true else "False",
            "lastTransitionTime": iso(epoch_s + (since_s if true else pod.created_s)),
        }

    started = pod.started_s <= now_s
    metadata: Object = {
        "name": pod.name,
        "namespace": NAMESPACE,
        "uid": f"uid-{pod.name}",
        "creationTimestamp": iso(epoch_s + pod.created_s),
        "labels": {"app.kubernetes.io/name": NAMESPACE, "app.kubernetes.io/component": WEB_COMPONENT},
    }
    if pod.deleting_s <= now_s:
        metadata |= {
            "deletionTimestamp": iso(epoch_s + pod.deleting_s + grace_s),
            "deletionGracePeriodSeconds": grace_s,
        }
    running = {"running": {"startedAt": iso(epoch_s + pod.started_s)}} if started else {}
    state = running or {"waiting": {"reason": "ContainerCreating"}}
    return {
        "metadata": metadata,
        "spec": {"nodeName": node_name(pod.node)} if pod.node is not None else {},
        "status": {
            "phase": "Running" if started else "Pending",
            "conditions": [condition("PodScheduled", pod.scheduled_s), condition("Ready", pod.ready_s)],
            "containerStatuses": [{"name": WEB_COMPONENT, "state": state}],
        },
    }


def node_name(number: int) -> str:
    """Return a node's name."""
    return f"node-{number:03d}"


def node_object(number: int) -> Object:
    """Return a node."""
    return {"metadata": {"name": node_name(number), "uid": f"uid-{node_name(number)}"}, "status": {}}


def deployment_object(replicas: int) -> Object:
    """Return the web Deployment."""
    metadata = {"name": WEB_NAME, "namespace": NAMESPACE, "uid": "uid-deployment"}
    return {"metadata": metadata, "spec": {"replicas": replicas}}


def hpa_object(decision: Decision, policy: Policy) -> Object:
    """Return the web autoscaler with the status that its sync left."""
    limits = policy.web.hpa
    measured = [
        {
            "type": "Resource",
            "resource": {"name": "cpu", "current": {"averageUtilization": metric.proposal.value}},
        }
        for metric in decision.metrics
        if isinstance(metric, Valid)
    ]
    return {
        "metadata": {"name": WEB_NAME, "namespace": NAMESPACE, "uid": "uid-hpa"},
        "spec": {"minReplicas": limits.min_replicas, "maxReplicas": limits.max_replicas},
        "status": {
            "desiredReplicas": decision.desired_replicas,
            "currentReplicas": decision.spec_replicas,
            "currentMetrics": measured,
            "conditions": [
                {"type": name, "status": told.status, "reason": told.reason, "message": told.reason}
                for name, told in sorted(decision.conditions.items())
            ],
        },
    }


def rescale_event(decision: Decision, now_s: float, epoch_s: float) -> Object:
    """Return the Event that the controller sends with a change."""
    size = decision.desired_replicas
    return {
        "metadata": {"name": f"{WEB_NAME}.{round((epoch_s + now_s) * 1000):x}", "namespace": NAMESPACE},
        "involvedObject": {"kind": "HorizontalPodAutoscaler", "name": WEB_NAME, "namespace": NAMESPACE},
        "reason": "SuccessfulRescale",
        "message": f"New size: {size}; reason: {decision.why}",
        "lastTimestamp": iso(epoch_s + now_s),
    }
