"""A change is in effect when what it brings about has come about."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bench.mutations.effect import AUTOSCALER, BUDGET, DEPLOYMENT, RETRIES, unsettled, wait_until_settled
from tidegate.chaos.cluster import Cluster
from tidegate.errors import TidegateError
from tidegate.observe.kubeconfig import ApiAccess


def pod(*, ready: bool = True, going: bool = False) -> dict[str, Any]:
    metadata = {"deletionTimestamp": "2026-01-01T00:00:00Z"} if going else {}
    status = {"conditions": [{"type": "Ready", "status": "True" if ready else "False"}]}
    return {"metadata": metadata, "status": status}


def accepted(generation: int) -> dict[str, Any]:
    condition = {"type": "Accepted", "status": "True", "observedGeneration": generation}
    return {"ancestors": [{"conditions": [condition]}]}


def settled() -> dict[str, Any]:
    at_rest = {"currentReplicas": 3, "desiredReplicas": 3}
    return {
        DEPLOYMENT: {
            "metadata": {"generation": 2},
            "spec": {"replicas": 3},
            "status": {"observedGeneration": 2, "updatedReplicas": 3},
        },
        "/api/v1/namespaces/tidegate/pods": {"items": [pod(), pod(), pod()]},
        AUTOSCALER: {"spec": {"minReplicas": 3}, "status": at_rest},
        BUDGET: {"metadata": {"generation": 1}, "status": {"observedGeneration": 1}},
        **{path: {"metadata": {"generation": 4}, "status": accepted(4)} for path in RETRIES},
    }


def cluster(objects: dict[str, Any]) -> Cluster:
    def answer(request: httpx.Request) -> httpx.Response:
        found = objects.get(request.url.path)
        return httpx.Response(404 if found is None else 200, json=found or {})

    return Cluster(ApiAccess("http://127.0.0.1:1", verify=False, headers={}), httpx.MockTransport(answer))


def test_a_stack_at_rest_is_settled() -> None:
    assert unsettled(cluster(settled())) == ""


def test_without_a_budget_or_the_gateways_rules_there_is_nothing_to_wait_for() -> None:
    objects = settled()
    for path in (BUDGET, *RETRIES):
        del objects[path]
    assert unsettled(cluster(objects)) == ""


PODS = "/api/v1/namespaces/tidegate/pods"


@pytest.mark.parametrize(
    ("path", "key", "value", "said"),
    [
        (DEPLOYMENT, "metadata", {"generation": 3}, "has not seen it"),
        (DEPLOYMENT, "status", {"observedGeneration": 2, "updatedReplicas": 2}, "2 of 3 web pods"),
        (PODS, "items", [pod(), pod(), pod(), pod(going=True)], "4 there"),
        (PODS, "items", [pod(), pod(), pod(ready=False)], "2 Ready"),
        (AUTOSCALER, "spec", {"minReplicas": 1}, "3 replicas, 3 desired, 1 at rest"),
        (BUDGET, "metadata", {"generation": 2}, "the budget has not been seen"),
        (RETRIES[1], "status", accepted(3), "the gateway has not taken its rules"),
    ],
)
def test_what_is_not_yet_so_is_told(path: str, key: str, value: Any, said: str) -> None:
    objects = settled()
    objects[path] = {**objects[path], key: value}
    assert said in unsettled(cluster(objects))


def test_it_waits_no_longer_than_it_may_and_says_each_thing_once() -> None:
    told: list[str] = []
    objects = settled() | {AUTOSCALER: {"spec": {"minReplicas": 1}, "status": {}}}
    with pytest.raises(TidegateError, match="to settle: 0 replicas, 0 desired, 1 at rest"):
        wait_until_settled(cluster(objects), told.append, limit_s=0.1, pause_s=0.01)
    assert told in (["0 replicas, 0 desired, 1 at rest"], [])
    wait_until_settled(cluster(settled()), told.append, pause_s=0.0)
