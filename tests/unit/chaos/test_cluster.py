"""How the engine talks to the API: labelled, without waiting for ever, and finding what is left."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tidegate.chaos.catalogue import load_experiments
from tidegate.chaos.cluster import Cluster
from tidegate.chaos.experiment import OWNED, OWNER
from tidegate.errors import TidegateError
from tidegate.observe.kubeconfig import ApiAccess

Answer = Callable[[httpx.Request], httpx.Response]


def cluster(answer: Answer) -> Cluster:
    access = ApiAccess("http://127.0.0.1:1", verify=False, headers={})
    return Cluster(access, httpx.MockTransport(answer))


class Api:
    """Keeps objects; one with a finalizer stays after its deletion until that is cleared."""

    def __init__(self, *names: str, hangs: bool = False) -> None:
        self.names = set(names)
        self.hangs = hangs
        self.calls: list[tuple[str, str]] = []
        self.made: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        self.calls.append((request.method, path))
        name = path.rpartition("/")[2]
        if request.method == "POST":
            self.made.append(json.loads(request.content))
            return httpx.Response(201, json=self.made[-1])
        if name in ("podchaos", "schedules"):
            wanted = self.names if name == "podchaos" else set[str]()
            return httpx.Response(200, json={"items": [{"metadata": {"name": each}} for each in wanted]})
        if name not in self.names:
            return httpx.Response(404, json={"message": "not found"})
        if (request.method == "DELETE" and not self.hangs) or request.method == "PATCH":
            self.names.discard(name)
        return httpx.Response(200, json={"metadata": {"name": name}})


def test_what_is_applied_can_be_found_again() -> None:
    api = Api()
    cluster(api).apply(load_experiments(["pod-kill"])[0].manifest)
    (made,) = api.made
    assert made["metadata"]["labels"][OWNED] == OWNER
    assert api.calls == [("POST", "/apis/chaos-mesh.org/v1alpha1/namespaces/tidegate/podchaos")]


def test_a_cluster_without_chaos_mesh_is_told_how_to_get_it() -> None:
    with pytest.raises(TidegateError, match="chaos_mesh: true"):
        cluster(lambda _: httpx.Response(404)).apply(load_experiments(["pod-kill"])[0].manifest)


def test_a_deleted_fault_that_goes_by_itself_is_not_touched_further() -> None:
    api = Api("pod-kill")
    assert cluster(api).lift("PodChaos", "pod-kill")
    assert "PATCH" not in {method for method, _ in api.calls}


def test_a_finalizer_that_hangs_is_cleared() -> None:
    api = Api("pod-kill", hangs=True)
    assert not cluster(api).lift("PodChaos", "pod-kill", grace_s=0)
    assert api.names == set()


def test_lifting_what_is_gone_is_no_error() -> None:
    assert cluster(Api()).lift("PodChaos", "pod-kill")


def test_it_finds_every_fault_whoever_made_it() -> None:
    assert cluster(Api("a", "b")).left() in (
        [("PodChaos", "a"), ("PodChaos", "b")],
        [("PodChaos", "b"), ("PodChaos", "a")],
    )


def test_a_refusal_is_told_in_the_servers_words() -> None:
    answer = httpx.Response(403, json={"message": "podchaos is forbidden"})
    with pytest.raises(TidegateError, match="podchaos is forbidden"):
        cluster(lambda _: answer).pods()
