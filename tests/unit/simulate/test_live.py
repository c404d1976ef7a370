"""A live autoscaler, asked through a kubectl that answers from a table."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest

from tidegate.errors import TidegateError
from tidegate.simulate.decisions import decide_lines
from tidegate.simulate.live import live_history

NOW_S = 1767226000.5


def _pod(name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "spec": {
            "containers": [{"name": "web", "resources": {"requests": {"cpu": "100m"}}}],
            "initContainers": [
                {"name": "setup", "resources": {"requests": {"cpu": "4"}}},
                {"name": "mesh", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
            ],
        },
        "status": {
            "phase": "Running",
            "startTime": "2026-01-01T00:00:00Z",
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:05Z"}],
        },
    }


def _metric(kind: str, **source: Any) -> dict[str, Any]:
    return {"type": kind, kind.lower(): source}


class Cluster:
    """Answers kubectl."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        per_pod = {"type": "AverageValue", "averageValue": "10"}
        self.metrics: list[dict[str, Any]] = [
            _metric("Resource", name="cpu", target={"type": "Utilization", "averageUtilization": 50}),
            _metric("Pods", metric={"name": "rps"}, target=per_pod),
            _metric(
                "Object",
                metric={"name": "hits"},
                describedObject={"kind": "Service", "name": "front"},
                target={"type": "Value", "value": "100"},
            ),
            _metric(
                "External",
                metric={"name": "queue", "selector": {"matchLabels": {"topic": "orders"}}},
                target=per_pod,
            ),
        ]

    def __call__(self, words: Sequence[str]) -> dict[str, Any]:
        line = " ".join(words)
        self.asked.append(line)
        for start, answer in self.answers().items():
            if line.startswith(start):
                return answer
        raise TidegateError("the server could not find the requested resource")

    def answers(self) -> dict[str, dict[str, Any]]:
        custom = "get --raw /apis/custom.metrics.k8s.io/v1beta2/namespaces/shop"
        external = "get --raw /apis/external.metrics.k8s.io/v1beta1/namespaces/shop"
        usage = {"name": "web", "usage": {"cpu": "300m"}}, {"name": "mesh", "usage": {"cpu": "1m"}}
        measured = {"timestamp": "2026-01-01T00:06:20Z", "window": "15.021s", "containers": list(usage)}
        return {
            "get hpa.v2.autoscaling web -n shop": {
                "spec": {
                    "scaleTargetRef": {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"},
                    "minReplicas": 1,
                    "maxReplicas": 9,
                    "metrics": self.metrics,
                },
                "status": {
                    "conditions": [
                        {
                            "type": "ScalingLimited",
                            "status": "True",
                            "reason": "TooManyReplicas",
                            "message": "the most there may be",
                        }
                    ]
                },
            },
            "get Deployment.v1.apps web -n shop --subresource=scale": {
                "spec": {"replicas": 2},
                "status": {"replicas": 2, "selector": "app=web"},
            },
            "get pods -n shop -l app=web": {"items": [_pod("web-a"), _pod("web-b")]},
            "get --raw /apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?labelSelector=app%3Dweb": {
                "items": [{"metadata": {"name": name}, **measured} for name in ("web-a", "web-b")]
            },
            f"{custom}/pods/*/rps?labelSelector=app%3Dweb": {
                "items": [{"describedObject": {"name": "web-a"}, "value": "1001m"}]
            },
            f"{custom}/services/front/hits": {"items": [{"value": "1M"}]},
            f"{external}/queue?labelSelector=topic%3Dorders": {
                "items": [{"value": "20"}, {"value": "1500m"}]
            },
            "version": {"serverVersion": {"gitVersion": "v1.35.2"}},
        }


def test_what_the_controller_would_see() -> None:
    found = live_history("shop", "web", NOW_S, Cluster())
    (sync,) = found["syncs"]
    assert (sync["t_s"], sync["spec_replicas"], sync["status_replicas"]) == (NOW_S, 2, 2)
    first = sync["pods"][0]
    assert [part["name"] for part in first["containers"]] == ["web", "mesh"]
    assert (first["start_s"], first["ready_transition_s"]) == (1767225600.0, 1767225605.0)
    assert (first["metrics"]["t_s"], first["metrics"]["window_s"]) == (1767225980.0, 15.021)
    assert {name: int(value * 1000) for name, value in sync["pod_metrics"]["rps"].items()} == {"web-a": 1001}
    assert sync["object_metrics"] == {"hits": 1_000_000.0}
    assert sync["external_metrics"] == {"queue": [20.0, 1.5]}
    assert found["controller"] == {"version": "1.35"}


def test_it_is_a_history_that_can_be_decided() -> None:
    line = json.dumps(live_history("shop", "web", NOW_S, Cluster())).encode()
    ((good, shown),) = decide_lines(io.BytesIO(line), longest=1 << 20, explained=True)
    assert good, shown
    (decision,) = shown["decisions"]
    assert [metric["error"] for metric in decision["explain"]["metrics"] if "error" in metric] == []
    assert decision["desired_replicas"] == 4  # 20000 wanted by the hits, 4 allowed in one step
    assert decision["conditions"]["ScalingLimited"] == "True/ScaleUpLimit"


def test_a_metrics_api_that_is_absent_is_an_invalid_metric() -> None:
    cluster = Cluster()
    cluster.metrics[3]["external"]["metric"]["name"] = "other"
    assert live_history("shop", "web", NOW_S, cluster)["syncs"][0]["external_metrics"] == {}


def test_an_autoscaler_that_is_not_there_is_an_error() -> None:
    with pytest.raises(TidegateError, match="could not find"):
        live_history("shop", "api", NOW_S, Cluster())
