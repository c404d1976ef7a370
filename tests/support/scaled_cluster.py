"""An API server of one autoscaled Deployment, in memory, whose controllers make a step at each question.

Replicas go to the floor at once, as with a HorizontalPodAutoscaler that has nothing to do. A pod is Ready
at the step after it was made and gone some steps after it was told to go. An update makes one new pod a
step, or lets one old one go.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from tidegate.chaos.cluster import Cluster
from tidegate.observe.kubeconfig import ApiAccess

Object = dict[str, Any]
DRAIN_STEPS = 3


@dataclass
class Pod:
    """One web pod."""

    uid: str
    generation: int
    ready: bool = False
    left: int | None = None
    """Steps until it is gone; None while nobody told it to go."""

    @property
    def going(self) -> bool:
        """Whether it was told to go."""
        return self.left is not None

    def go(self) -> None:
        """Tell it to go."""
        if self.left is None:
            self.left = DRAIN_STEPS

    def body(self, unschedulable: str) -> Object:
        """It as the API gives it."""
        metadata: Object = {"name": self.uid, "uid": self.uid}
        if self.going:
            metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        scheduled: Object = {"type": "PodScheduled", "status": "True"}
        if unschedulable and not self.ready:
            scheduled = {"type": "PodScheduled", "status": "False", "message": unschedulable}
        ready = {"type": "Ready", "status": str(self.ready)}
        return {"metadata": metadata, "status": {"phase": "Running", "conditions": [ready, scheduled]}}


@dataclass
class ScaledCluster:
    """What is there, and what was asked for."""

    metric: str = "cpu"
    least: int = 2
    most: int = 20
    worker: Object | None = None
    """Its ScaledObject's spec."""
    busy: int = 0
    """Replicas that the load needs."""
    unschedulable: str = ""
    stuck: bool = False
    """Whether an update makes no progress."""
    refusals: int = 0
    """Requests it refuses before it answers."""
    patches: list[tuple[str, str, Object]] = field(default_factory=list[tuple[str, str, Object]])
    """Name of the object, field manager, body."""
    pods: list[Pod] = field(default_factory=list[Pod])
    generation: int = 1
    replicas: int = 0
    objects: dict[str, Object] = field(default_factory=dict[str, Object])

    def __post_init__(self) -> None:
        self.replicas = self.least
        least, most = self._fields
        self.objects[self._scaler] = {"metadata": {}, "spec": {least: self.least, most: self.most}}
        if self.worker is not None:
            self.objects["scaledobjects/tidegate-worker"] = {"metadata": {}, "spec": self.worker}
        self._made = 0
        self._fill()
        for pod in self.pods:
            pod.ready = True

    @property
    def _scaler(self) -> str:
        kind = "scaledobjects" if self.metric == "rps" else "horizontalpodautoscalers"
        return f"{kind}/tidegate-web"

    @property
    def _fields(self) -> tuple[str, str]:
        if self.metric == "rps":
            return "minReplicaCount", "maxReplicaCount"
        return "minReplicas", "maxReplicas"

    @property
    def floor(self) -> int:
        """The web pods' floor."""
        return int(self.objects[self._scaler]["spec"][self._fields[0]])

    def annotations(self, name: str = "") -> Object:
        """Those of the web pods' autoscaler, or of the object `name`."""
        return self.objects[name or self._scaler]["metadata"].get("annotations", {})

    def client(self) -> Cluster:
        """A client of it."""
        access = ApiAccess("http://127.0.0.1:1", verify=False, headers={})
        return Cluster(access, httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        if self.refusals:
            self.refusals -= 1
            return httpx.Response(503, json={"message": "etcd is slow"})
        name = "/".join(request.url.path.split("/")[-2:])
        if request.method == "PATCH":
            return self._patch(name, request)
        self.step()
        if name == "tidegate/pods":
            return httpx.Response(200, json={"items": [pod.body(self.unschedulable) for pod in self.pods]})
        found = self._deployment() if name == "deployments/tidegate-web" else self.objects.get(name)
        return httpx.Response(404, json={}) if found is None else httpx.Response(200, json=found)

    def _patch(self, name: str, request: httpx.Request) -> httpx.Response:
        assert request.headers["Content-Type"] == "application/merge-patch+json"
        body = cast("Object", json.loads(request.content))
        self.patches.append((name, request.url.params["fieldManager"], body))
        if name == "deployments/tidegate-web":
            self.generation += 1
            return httpx.Response(200, json=self._deployment())
        if name not in self.objects:
            return httpx.Response(404, json={})
        _merge(self.objects[name], body)
        return httpx.Response(200, json=self.objects[name])

    def step(self) -> None:
        """Let every controller and kubelet do one thing."""
        for pod in self.pods:
            pod.ready = not self.unschedulable
            pod.left = None if pod.left is None else pod.left - 1
        self.pods = [pod for pod in self.pods if pod.left != 0]
        self.replicas = min(self.most, max(self.floor, self.busy))
        old = [pod for pod in self.pods if pod.generation < self.generation]
        if old and not self.stuck:
            if sum(not pod.going for pod in self.pods) > self.replicas:
                next(pod for pod in old if not pod.going).go()
            elif not old[-1].going:
                self._make()
            return
        stay = [pod for pod in self.pods if not pod.going]
        for pod in stay[self.replicas :]:
            pod.go()
        self._fill()

    def _fill(self) -> None:
        while sum(not pod.going for pod in self.pods) < self.replicas:
            self._make()

    def _make(self) -> None:
        self._made += 1
        self.pods.append(Pod(f"pod-{self._made}", self.generation))

    def _deployment(self) -> Object:
        stay = [pod for pod in self.pods if not pod.going]
        return {
            "metadata": {"generation": self.generation},
            "spec": {"replicas": self.replicas},
            "status": {
                "observedGeneration": self.generation,
                "replicas": len(stay),
                "updatedReplicas": sum(pod.generation == self.generation for pod in stay),
                "availableReplicas": sum(pod.ready for pod in stay),
            },
        }


def _merge(into: Object, body: Object) -> None:
    """RFC 7386."""
    for key, value in body.items():
        if value is None:
            into.pop(key, None)
        elif isinstance(value, dict):
            _merge(into.setdefault(key, {}), cast("Object", value))
        else:
            into[key] = value
