"""The Kubernetes API as far as single objects are read and written: versions, managers, conflicts."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

import httpx

from tidegate.chaos.cluster import Cluster
from tidegate.observe.kubeconfig import ApiAccess

Object = dict[str, Any]
PLURALS = {
    "Deployment": "apis/apps/v1/namespaces/tidegate/deployments",
    "HorizontalPodAutoscaler": "apis/autoscaling/v2/namespaces/tidegate/horizontalpodautoscalers",
    "PodDisruptionBudget": "apis/policy/v1/namespaces/tidegate/poddisruptionbudgets",
    "BackendTrafficPolicy": "apis/gateway.envoyproxy.io/v1alpha1/namespaces/tidegate/backendtrafficpolicies",
    "ConfigMap": "api/v1/namespaces/tidegate/configmaps",
}


class ObjectStore:
    """Keeps objects by their path."""

    def __init__(self, objects: Mapping[str, Object] | None = None) -> None:
        self.objects: dict[str, Object] = {}
        self.version = 0
        self.calls: list[tuple[str, str]] = []
        self.conflicts = 0
        """How many of the next writes meet a write of somebody else."""
        self.refused: set[str] = set()
        """Methods that are refused."""
        for path, each in (objects or {}).items():
            self.put(path, each)

    def put(self, path: str, written: Object, manager: str = "pulumi") -> Object:
        """Keep an object as the API does."""
        self.version += 1
        metadata = {**written.get("metadata", {}), "name": path.rpartition("/")[2]}
        before = self.objects.get(path, {"metadata": {}})
        managers = metadata.get("managedFields", before["metadata"].get("managedFields", []))
        changed = _said(before) != _said(written)
        if changed and manager not in [each["manager"] for each in managers]:
            managers = [*managers, {"manager": manager}]
        metadata |= {
            "uid": before["metadata"].get("uid", f"uid-{self.version}"),
            "resourceVersion": str(self.version),
            "generation": before["metadata"].get("generation", 0) + changed,
            "managedFields": managers,
        }
        self.objects[path] = {**copy.deepcopy(written), "metadata": metadata}
        return self.objects[path]

    def cluster(self) -> Cluster:
        """Return the way in which the kit asks for these objects."""
        access = ApiAccess("http://127.0.0.1:1", verify=False, headers={})
        return Cluster(access, httpx.MockTransport(self))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        self.calls.append((method, path))
        if method in self.refused:
            return httpx.Response(403, json={"message": f"{method} is forbidden"})
        if method == "GET":
            return self._answer(path)
        if method == "DELETE":
            gone = self.objects.pop(path, None)
            return httpx.Response(200 if gone else 404, json=gone or {})
        return self._write(request, path, method)

    def _write(self, request: httpx.Request, path: str, method: str) -> httpx.Response:
        written: Object = json.loads(request.content)
        if method == "POST":
            path = f"{path}/{written['metadata']['name']}"
            assert not {"uid", "resourceVersion"} & set(written["metadata"]), "made anew with an old identity"
        there = self.objects.get(path)
        if self.conflicts and there is not None:
            self.conflicts -= 1
            self.put(path, there)
        version = written["metadata"].get("resourceVersion")
        if there is not None and version not in (None, self.objects[path]["metadata"]["resourceVersion"]):
            return httpx.Response(409, json={"message": "the object has been modified"})
        self.put(path, written, request.url.params["fieldManager"])
        return self._answer(path)

    def _answer(self, path: str) -> httpx.Response:
        if path not in self.objects:
            return httpx.Response(404, json={"message": "not found"})
        return httpx.Response(200, json=self.objects[path])


def _said(each: Object) -> Object:
    return {key: value for key, value in each.items() if key not in ("metadata", "status")}


def path_of(manifest: Object) -> str:
    """Return the path in the API of an object of the service's namespace."""
    return f"/{PLURALS[manifest['kind']]}/{manifest['metadata']['name']}"
