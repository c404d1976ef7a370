"""Proof that the controller has seen what was written.

Pods reach the controller by one ordered stream. An autoscaler of our own, which is never held, asks for ten
replicas a Ready pod; once it follows a change of its own pod, everything that was written before that change
has arrived.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import httpx
from differential.metrics_api import Answers, Gate, MetricsApi

Object = dict[str, Any]

_NAMESPACE = "fence"
_LONGEST_S = 300.0
_AUTOSCALERS = "/apis/autoscaling/v2/namespaces/fence/horizontalpodautoscalers"
_RULES = {
    "stabilizationWindowSeconds": 0,
    "policies": [{"type": "Pods", "value": 1000, "periodSeconds": 1}],
}
_SPEC: Object = {
    "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "fence"},
    "minReplicas": 1,
    "maxReplicas": 1000,
    "metrics": [
        {
            "type": "Object",
            "object": {
                "describedObject": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "fence"},
                "metric": {"name": "fence"},
                "target": {"type": "Value", "value": "1"},
            },
        }
    ],
    "behavior": {"scaleUp": _RULES, "scaleDown": _RULES},
}


class Fence:
    """One for all histories; `pass_` may be called from any thread."""

    def __init__(self, client: httpx.Client, api: MetricsApi) -> None:
        self._client = client
        api.gates[_NAMESPACE] = Gate(0, Answers(object_metrics={"fence": "10"}))
        self._both = False
        self._turn = threading.Condition()
        self._asked = self._passed = 0
        self._failure = ""
        self._stopped = False
        self._thread = threading.Thread(target=self._work, daemon=True)

    def start(self) -> None:
        """Make the fence's own autoscaler and wait until it decides."""
        client = self._client
        labels = {"app": "fence"}
        pod = {"containers": [{"name": "app", "image": "none"}], "terminationGracePeriodSeconds": 0}
        _post(client, "/api/v1/namespaces", {"metadata": {"name": _NAMESPACE}})
        template = {"metadata": {"labels": labels}, "spec": pod}
        spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
        body = {"metadata": {"name": "fence"}, "spec": spec}
        _post(client, f"/apis/apps/v1/namespaces/{_NAMESPACE}/deployments", body)
        for name in ("always", "toggled"):
            made = {"metadata": {"name": name, "labels": labels}, "spec": pod}
            _post(client, f"/api/v1/namespaces/{_NAMESPACE}/pods", made)
        self._set("always", ready=True)
        _post(client, _AUTOSCALERS, {"metadata": {"name": "fence"}, "spec": _SPEC})
        self._await(10)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; whoever waits fails."""
        with self._turn:
            self._stopped = True
            self._turn.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def pass_(self) -> None:
        """Return once the controller has seen every pod as it was written before this call."""
        with self._turn:
            self._asked += 1
            mine = self._asked
            self._turn.notify_all()
            self._turn.wait_for(lambda: self._passed >= mine or self._failure or self._stopped)
            assert self._passed >= mine, self._failure or "the fence was stopped"

    def _work(self) -> None:
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._asked > self._passed or self._stopped)
                if self._stopped:
                    return
                until = self._asked
            failure = ""
            try:
                self._both = not self._both
                self._set("toggled", ready=self._both)
                self._await(20 if self._both else 10)
            except (AssertionError, httpx.HTTPError) as error:
                failure = f"the fence failed: {error}"
            with self._turn:
                self._passed, self._failure = (self._passed, failure) if failure else (until, "")
                self._turn.notify_all()
                if failure:
                    return

    def _set(self, name: str, *, ready: bool) -> None:
        condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": "2026-01-01T00:00:00Z"}
        status = {"phase": "Running", "startTime": "2026-01-01T00:00:00Z", "conditions": [condition]}
        path = f"/api/v1/namespaces/{_NAMESPACE}/pods/{name}/status"
        headers = {"Content-Type": "application/merge-patch+json"}
        self._client.patch(path, json={"status": status}, headers=headers).raise_for_status()

    def _await(self, replicas: int) -> None:
        deadline_s = time.monotonic() + _LONGEST_S
        found: Object = {}
        while time.monotonic() < deadline_s and not self._stopped:
            found = self._client.get(f"{_AUTOSCALERS}/fence").raise_for_status().json().get("status", {})
            if found.get("desiredReplicas") == replicas:
                return
            time.sleep(0.02)
        raise AssertionError(f"its autoscaler did not come to {replicas} replicas: {found}")


def _post(client: httpx.Client, path: str, body: Object) -> None:
    answer = client.post(path, json=body)
    assert not answer.is_error, f"POST {path}: {answer.status_code} {answer.text[:500]}"
