from __future__ import annotations

from typing import Any

from tidegate.observe.trim import trim

RESOURCES = {"requests": {"cpu": "100m"}, "limits": {"cpu": "1"}}


def test_a_pod_keeps_what_a_run_is_read_for() -> None:
    status: dict[str, Any] = {
        "phase": "Running",
        "conditions": [{"type": "Ready"}],
        "containerStatuses": [{"state": {}}],
    }
    pod: dict[str, Any] = {
        "metadata": {
            "name": "web-1",
            "namespace": "tidegate",
            "uid": "u",
            "resourceVersion": "7",
            "labels": {"app.kubernetes.io/component": "web"},
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "deletionTimestamp": "2026-01-01T00:05:00Z",
            "deletionGracePeriodSeconds": 35,
            "annotations": {"secret": "x"},
            "managedFields": [{}],
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web", "uid": "r", "controller": True}],
        },
        "spec": {
            "nodeName": "n1",
            "volumes": [{}],
            "containers": [{"name": "web", "image": "i", "resources": RESOURCES, "env": [{}]}],
        },
        "status": status,
    }
    kept = trim("Pod", pod)
    assert kept["status"] == status
    assert kept["spec"] == {
        "nodeName": "n1",
        "containers": [{"name": "web", "image": "i", "resources": RESOURCES}],
    }
    assert set(pod["metadata"]) - set(kept["metadata"]) == {"annotations", "managedFields"}
    assert kept["metadata"]["ownerReferences"] == [{"kind": "ReplicaSet", "name": "web", "uid": "r"}]


def test_an_autoscaler_keeps_its_rules_and_all_of_its_status() -> None:
    hpa: dict[str, Any] = {
        "metadata": {"name": "web", "uid": "u"},
        "spec": {"minReplicas": 2, "maxReplicas": 9, "behavior": {"scaleUp": {}}, "metrics": [], "other": 1},
        "status": {"currentReplicas": 2, "desiredReplicas": 3, "currentMetrics": None, "conditions": []},
    }
    kept = trim("HorizontalPodAutoscaler", hpa)
    assert kept["spec"] == {"minReplicas": 2, "maxReplicas": 9, "metrics": [], "behavior": {"scaleUp": {}}}
    assert kept["status"] == hpa["status"]


def test_a_node_leaves_its_images_out_and_keeps_what_it_can_hold() -> None:
    status: dict[str, Any] = {"capacity": {"cpu": "2"}, "allocatable": {}, "conditions": [], "images": [{}]}
    kept = trim("Node", {"metadata": {"name": "n"}, "spec": {"unschedulable": True}, "status": status})
    assert set(kept["status"]) == {"capacity", "allocatable", "conditions"}
    assert kept["spec"] == {"unschedulable": True}


def test_a_deployment_shows_its_containers_requests() -> None:
    template: dict[str, Any] = {
        "spec": {"containers": [{"name": "web", "resources": RESOURCES, "ports": [{}]}]}
    }
    kept = trim("Deployment", {"metadata": {}, "spec": {"replicas": 0, "template": template}, "status": {}})
    assert kept["spec"] == {
        "replicas": 0,
        "containers": [{"name": "web", "resources": RESOURCES}],
    }


def test_an_event_keeps_what_it_says_about_whom() -> None:
    event = {
        "metadata": {"name": "e", "uid": "u"},
        "involvedObject": {"kind": "Pod", "name": "web-1"},
        "reason": "Scheduled",
        "message": "m",
        "lastTimestamp": None,
        "eventTime": "2026-01-01T00:00:00.5Z",
        "action": "Binding",
    }
    assert trim("Event", event) == {
        "metadata": {"name": "e", "uid": "u"},
        "involvedObject": {"kind": "Pod", "name": "web-1"},
        "reason": "Scheduled",
        "message": "m",
        "eventTime": "2026-01-01T00:00:00.5Z",
    }
