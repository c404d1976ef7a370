"""One history, driven: whenever the controller waits for a metric, its world is changed and it goes on."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from differential.fence import Fence
from differential.generator import PodPlan, Script, Step, stamp
from differential.metrics_api import Gate, MetricsApi, Served

from tidegate.simulate.live import init_requests

Object = dict[str, Any]
_HELD_S = 300
"""A sync that does not come within this time never will; the small period is a fraction of a second."""
_PAUSE_S = 0.8
"""How long the target stays at zero or absent: some syncs without metrics are made meanwhile."""


@dataclass
class Seen:
    """What one sync was shown."""

    served: Served
    pods: list[Object]
    """In the form of a history's `pods`."""
    step: Step


@dataclass
class Driven:
    """Everything known about one history."""

    seed: int
    namespace: str
    hpa_spec: Object
    requests: int
    seen: list[Seen] = field(default_factory=list[Seen])
    ended_s: float = 0.0
    """When the first sync began that is not part of the history any more."""


class Driver:
    """Drives one history; a call of `run` takes as long as its syncs."""

    def __init__(
        self, seed: int, client: httpx.Client, api: MetricsApi, fence: Fence, died: Callable[[], str]
    ) -> None:
        self.script = Script(seed)
        self.rng = self.script.rng
        self.client, self.fence, self.died = client, fence, died
        self.namespace = f"h-{seed}"
        self.gate = Gate(len(self.script.metrics))
        api.gates[self.namespace] = self.gate
        self.driven = Driven(seed, self.namespace, self.script.hpa_spec, len(self.script.metrics))
        self._specs = dict[str, Object]()

    def run(self, syncs: int, stopped: threading.Event) -> Driven:
        """Make the autoscaler and let it make `syncs` syncs on what the script says.

        Raises:
            AssertionError: no sync came; what is known of the control plane is in the message.
            httpx.HTTPStatusError: the API server refused something.
        """
        self._make()
        for _ in range(syncs):
            self._held(stopped)
            now_s = int(time.time())
            replicas = self._deployment()["spec"]["replicas"]
            step = self.script.step(replicas, now_s)
            self._apply(step)
            after = self._meddle(replicas)
            self.fence.pass_()
            pods = [self._shown(one, step) for one in self.script.pods.values()]
            self.gate.answer(step.answers)
            self.driven.seen.append(Seen(self.gate.served[-1], pods, copy.deepcopy(step)))
            after()
        self._held(stopped)
        self.driven.ended_s = self.gate.waiting or 0.0
        # Or its syncs would go on and keep the controller from those of other histories.
        self._ask("DELETE", self._path("horizontalpodautoscalers", "web", group="apis/autoscaling/v2"))
        self.gate.close()
        return self.driven

    def _held(self, stopped: threading.Event) -> None:
        waits = 0  # not the clock: a machine that sleeps in between is no fault
        while not self.gate.wait(1.0):
            waits += 1
            assert not stopped.is_set(), "another history failed"
            assert waits < _HELD_S, f"{self.namespace}: no sync in {_HELD_S} s. {self.died()}"
            # At zero nothing is asked for unless the controller knows that it scaled to zero itself; it does
            # not where the write of that knowledge was lost.
            if self._deployment()["spec"]["replicas"] == 0:
                self._set_replicas(2)

    # The API

    def _ask(self, method: str, path: str, body: Object | None = None) -> Object:
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        answer = self.client.request(method, path, json=body, headers={"Content-Type": kind})
        if answer.is_error:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text[:500]}")
        return answer.json()

    def _path(self, *rest: str, group: str = "apis/apps/v1") -> str:
        return "/".join(["", group, "namespaces", self.namespace, *rest])

    def _deployment(self) -> Object:
        return self._ask("GET", self._path("deployments", "web"))

    def _make(self) -> None:
        self._ask("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}})
        self._make_target(self.script.replicas)
        body = {"metadata": {"name": "web"}, "spec": self.script.hpa_spec}
        self._ask("POST", self._path("horizontalpodautoscalers", group="apis/autoscaling/v2"), body)

    def _make_target(self, replicas: int) -> None:
        spec = {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": self.script.containers},
        }
        self._ask("POST", self._path("deployments"), {"metadata": {"name": "web"}, "spec": spec})
        self._set_status(replicas)

    def _set_status(self, replicas: int) -> None:
        self._ask("PATCH", self._path("deployments", "web", "status"), {"status": {"replicas": replicas}})

    def _set_replicas(self, replicas: int) -> None:
        self._ask("PATCH", self._path("deployments", "web"), {"spec": {"replicas": replicas}})

    def _apply(self, step: Step) -> None:
        for pod in step.removed:
            bare = {"metadata": {"finalizers": None}}
            self._ask("PATCH", self._path("pods", pod.name, group="api/v1"), bare)
        for pod in step.created:
            made = self._ask("POST", self._path("pods", group="api/v1"), pod.body())
            self._specs[pod.name] = made["spec"]
            self._set_pod(pod)
        for pod in step.changed:
            self._set_pod(pod)
        for pod in step.deleted:
            self._ask("DELETE", self._path("pods", pod.name, group="api/v1"))

    def _set_pod(self, pod: PodPlan) -> None:
        status: Object = {
            "phase": pod.phase,
            "startTime": None if pod.started_s is None else stamp(pod.started_s),
            "conditions": None,
        }
        if pod.ready is not None and pod.moved_s is not None:
            moved = stamp(pod.moved_s)
            status["conditions"] = [{"type": "Ready", "status": pod.ready, "lastTransitionTime": moved}]
        self._ask("PATCH", self._path("pods", pod.name, "status", group="api/v1"), {"status": status})

    def _meddle(self, replicas: int) -> Callable[[], None]:
        """Change the target while its sync is held, at times; return what is to be done after the sync.

        The sync has read the Scale: it meets the change at its write, as a conflict; the next sync reads it.
        """
        rng = self.rng
        if replicas > 0 and rng.random() < 0.5:
            self._set_status(max(0, replicas + rng.choice([0, 0, 0, -1, 1, 2])))
        chance = rng.random()
        if chance < 0.04:
            self._set_replicas(0)
            return lambda: self._later(lambda: self._set_replicas(rng.randint(1, 5)))
        if chance < 0.08:
            self._ask("DELETE", self._path("deployments", "web"))
            return lambda: self._later(lambda: self._make_target(rng.randint(1, 5)))
        if chance < 0.14:
            most, least = self.script.hpa_spec["maxReplicas"], self.script.hpa_spec["minReplicas"]
            self._set_replicas(rng.choice([most + 2, max(1, least - 1), most, rng.randint(1, most)]))
        return lambda: None

    def _later(self, what: Callable[[], None]) -> None:
        time.sleep(_PAUSE_S)
        what()

    # What was shown

    def _shown(self, pod: PodPlan, step: Step) -> Object:
        spec = self._specs[pod.name]
        items = [one for one in step.answers.pods if one["metadata"]["name"] == pod.name]
        parts = spec["containers"] + [
            one for one in spec.get("initContainers", []) if one.get("restartPolicy") == "Always"
        ]
        ready = {"True": True, "False": False, "Unknown": "Unknown", None: None}[pod.ready]
        return {
            "name": pod.name,
            "phase": pod.phase,
            "ready": ready,
            "ready_transition_s": pod.moved_s,
            "start_s": pod.started_s,
            "deleting": pod.deleting,
            "containers": [
                {"name": one["name"], "requests": one.get("resources", {}).get("requests", {})}
                for one in parts
            ],
            "requests": spec.get("resources", {}).get("requests", {}),
            "init_requests": init_requests(spec.get("initContainers", [])),
            "metrics": shown_metrics(items[0]) if items else None,
        }


def shown_metrics(item: Object) -> Object:
    """Return an item of metrics.k8s.io in the form of a history."""
    return {
        "t_s": time_of(item["timestamp"]),
        "window_s": int(item["window"][:-1]),
        "containers": item["containers"],
    }


def time_of(text: str) -> float:
    """Return a time of the API as unix seconds."""
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
