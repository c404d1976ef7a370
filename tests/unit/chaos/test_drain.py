"""A drain evicts as budgets allow, tells what was refused, and leaves no node cordoned."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tidegate.chaos import drain as under_test
from tidegate.chaos.blast import radius
from tidegate.chaos.catalogue import load_experiments
from tidegate.chaos.cluster import CORDONED, Cluster
from tidegate.chaos.conduct import clean
from tidegate.chaos.drain import DrainedNode
from tidegate.chaos.experiment import read_experiment
from tidegate.chaos.ways import CONTROL_PLANE, doing, node_for
from tidegate.errors import TidegateError
from tidegate.observe.kubeconfig import ApiAccess

REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget."
SELECTOR = "app.kubernetes.io/component=web"


def pod(name: str, node: str, component: str = "web") -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "tidegate", "app.kubernetes.io/component": component}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"nodeName": node},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]},
    }


class Api:
    """Nodes, pods and a budget that allows so many evictions."""

    def __init__(self, allowed: int = 10) -> None:
        self.allowed = allowed
        self.nodes: dict[str, dict[str, Any]] = {
            name: {"metadata": {"name": name, "labels": {}, "annotations": {}}, "spec": {}}
            for name in ("cp", "worker", "worker2")
        }
        self.nodes["cp"]["metadata"]["labels"][CONTROL_PLANE] = ""
        self.pods = {
            each["metadata"]["name"]: each
            for each in (
                pod("web-a", "worker"),
                pod("web-b", "worker"),
                pod("web-c", "worker2"),
                pod("job", "worker2", "worker"),
            )
        }
        self.evictions: list[str] = []

    def cluster(self) -> Cluster:
        access = ApiAccess("http://127.0.0.1:1", verify=False, headers={})
        return Cluster(access, httpx.MockTransport(self))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/eviction"):
            return self._evict(path.split("/")[-2])
        if path.startswith("/api/v1/nodes/"):
            return self._patch(path.rpartition("/")[2], json.loads(request.content))
        if path.endswith("/poddisruptionbudgets"):
            labels = {"app.kubernetes.io/component": "web"}
            budget = {"metadata": {"name": "tidegate-web"}, "spec": {"selector": {"matchLabels": labels}}}
            return httpx.Response(200, json={"items": [budget]})
        if path == "/api/v1/nodes":
            return httpx.Response(200, json={"items": list(self.nodes.values())})
        found = list(self.pods.values()) if path == "/api/v1/namespaces/tidegate/pods" else []
        return httpx.Response(200, json={"items": found})

    def _evict(self, name: str) -> httpx.Response:
        self.evictions.append(name)
        if len(self.evictions) > self.allowed:
            return httpx.Response(429, json={"message": REFUSAL})
        self.pods[name]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        return httpx.Response(201, json={})

    def _patch(self, name: str, body: dict[str, Any]) -> httpx.Response:
        node = self.nodes.get(name)
        if node is None:
            return httpx.Response(404, json={"message": "not found"})
        node["spec"]["unschedulable"] = body["spec"]["unschedulable"]
        node["metadata"]["annotations"] |= body["metadata"]["annotations"]
        return httpx.Response(200, json=node)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused eviction is asked for again the next time."""
    monkeypatch.setattr(under_test, "AGAIN_S", 0.0)


def drained(api: Api, node: str = "worker") -> DrainedNode:
    return DrainedNode(api.cluster(), node, "tidegate", SELECTOR)


def test_the_node_is_cordoned_its_web_pods_are_evicted_and_it_is_opened_again() -> None:
    api = Api()
    how = drained(api)
    how.begin()
    assert api.nodes["worker"]["spec"]["unschedulable"] is True
    said = how.ask()
    assert (said.injected, said.pods, api.evictions) == (True, ("web-a", "web-b"), ["web-a", "web-b"])
    how.ask()
    assert api.evictions == ["web-a", "web-b"]
    told = how.lift()
    assert told == {
        "node": "worker",
        "budgets": ["tidegate-web"],
        "evicted": ["web-a", "web-b"],
        "refusals": 0,
    }
    assert not api.nodes["worker"]["spec"]["unschedulable"]
    assert not api.nodes["worker"]["metadata"]["annotations"][CORDONED]
    assert how.lift() == {}


def test_a_refusal_is_asked_for_again_and_told_in_the_servers_words() -> None:
    api = Api(allowed=1)
    how = drained(api)
    how.begin()
    how.ask()
    assert api.evictions == ["web-a", "web-b"]
    how.ask()
    assert api.evictions == ["web-a", "web-b", "web-b"]
    told = how.lift()
    assert (told["evicted"], told["refusals"], told["refused"]) == (["web-a"], 2, REFUSAL)


def test_a_pod_that_is_gone_already_needs_no_eviction() -> None:
    answers = iter([httpx.Response(404, json={"message": "not found"})])
    access = ApiAccess("http://127.0.0.1:1", verify=False, headers={})
    assert Cluster(access, httpx.MockTransport(lambda _: next(answers))).evict("tidegate", "web-a") == ""


def test_nothing_is_lifted_where_nothing_was_begun() -> None:
    api = Api()
    assert drained(api).lift() == {}
    with pytest.raises(TidegateError, match="no node can be drained"):
        drained(api, "").begin()
    assert drained(api, "").afterwards() == []
    assert drained(api).afterwards() == [
        ["kubectl", "uncordon", "worker"],
        ["kubectl", "annotate", "node", "worker", "tidegate/cordoned-"],
    ]


def test_the_worker_with_most_web_pods_is_drained_whatever_else_it_carries() -> None:
    api = Api()
    (experiment,) = load_experiments(["node-drain"])
    assert node_for(api.cluster(), experiment) == "worker"
    api.nodes["worker"]["spec"]["unschedulable"] = True
    assert node_for(api.cluster(), experiment) == "worker2"
    assert isinstance(doing(experiment, api.cluster(), "worker2", {}), DrainedNode)
    assert node_for(api.cluster(), load_experiments(["pod-kill"])[0]) == ""


def test_its_reach_is_the_chosen_pods_of_that_node() -> None:
    found = radius(load_experiments(["node-drain"])[0], list(Api().pods.values()), "worker")
    assert (found.pods, found.most) == (("web-a", "web-b"), 2)
    assert "keeps new pods from the node worker" in found.lines()


def test_what_a_killed_tool_left_cordoned_is_opened_and_nobody_elses() -> None:
    api = Api()
    drained(api).begin()
    api.nodes["worker2"]["spec"]["unschedulable"] = True
    assert clean(api.cluster(), [], {}) == ["uncordoned node worker"]
    assert not api.nodes["worker"]["spec"]["unschedulable"]
    assert api.nodes["worker2"]["spec"]["unschedulable"] is True


@pytest.mark.parametrize(
    ("name", "selector", "said"),
    [("node-drain", None, "needs a `selector`"), ("node-loss", "a=b", "takes no `selector`")],
)
def test_whose_pods_leave_must_be_said_and_only_there(
    tmp_path: Any, name: str, selector: str | None, said: str
) -> None:
    import yaml

    manifest = dict(load_experiments([name])[0].manifest)
    manifest["data"] = {key: value for key, value in manifest["data"].items() if key != "selector"}
    if selector:
        manifest["data"]["selector"] = selector
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(manifest))
    with pytest.raises(TidegateError, match=said):
        read_experiment(path)
