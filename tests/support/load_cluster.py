"""A cluster that takes Jobs and Secrets of load generators, and makes pods of them that a test controls."""

from __future__ import annotations

import copy
import hashlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx
import polars as pl

from tidegate.load.pods.agent import DIGEST_HEADER
from tidegate.load.pods.names import AGENT_PORT, LOAD_LABEL
from tidegate.run.format import METRIC_SCHEMA, REQUEST_SCHEMA

Json = dict[str, Any]
GATEWAY_ADDRESS = "10.96.0.80"


def segment(moments_s: list[float], user: int = 0) -> bytes:
    """Return a segment of requests that began, and ended, at these moments."""
    rows = [(t, t, t + 0.01, "GET", "GET /x", 200, True, None, "web-1", None, user, 2) for t in moments_s]
    file = io.BytesIO()
    pl.DataFrame(rows, schema=REQUEST_SCHEMA, orient="row").write_parquet(file)
    return file.getvalue()


def samples(name: str, value: float, t_s: float) -> bytes:
    """Return a segment with one sample."""
    file = io.BytesIO()
    pl.DataFrame(
        [(t_s, t_s, name, '{"pid":"1"}', value, None)], schema=METRIC_SCHEMA, orient="row"
    ).write_parquet(file)
    return file.getvalue()


@dataclass
class ScriptedPod:
    """A generator's pod as its agent tells of it."""

    name: str
    uid: str
    role: str
    manifest: Json
    phase: str = "Running"
    address: str = "10.244.0.9"
    status: Json = field(default_factory=dict[str, Any])
    """More of the pod's status."""
    deaf: bool = False
    ahead_s: float = 0.0
    """Its clock less ours."""
    exit_status: int | None = None
    said: str = "running"
    segments: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    growing: dict[str, bytes] = field(default_factory=dict[str, bytes])
    damaged: int = 0
    """So many of the next answers have another last byte than was sent."""
    damages: str = ""
    """On this path only; on any when empty."""
    asked: list[str] = field(default_factory=list[str])
    on_stop: Callable[[], None] = lambda: None
    forward: Callable[[httpx.Request, str], httpx.Response] | None = None
    """Who answers in its place: a real agent."""

    def object(self) -> Json:
        labels = self.manifest["spec"]["template"]["metadata"]["labels"]
        metadata = {"name": self.name, "uid": self.uid, "labels": labels}
        return {
            "metadata": metadata,
            "status": {"phase": self.phase, "podIP": self.address, **self.status},
        }

    def answer(self, request: httpx.Request, path: str) -> httpx.Response:
        self.asked.append(f"{request.method} {path}")
        if self.forward is not None:
            return self.forward(request, path)
        if self.deaf or self.phase != "Running":
            return httpx.Response(503, json={"message": "no endpoints"})
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        first = int(query.get("from", "0"))
        if request.method == "POST":
            if path == "/stop":
                self.on_stop()
            return self._sent(b"")
        if path == "/clock":
            return self._sent(json.dumps({"time_s": time.time() + self.ahead_s}).encode())
        if path == "/state":
            told = {
                "exit_status": self.exit_status,
                "said": self.said,
                "segments": [[name, len(data)] for name, data in self.segments[first:]],
                "growing": {name: len(data) for name, data in self.growing.items()},
            }
            return self._sent(json.dumps(told).encode())
        held = {**dict(self.segments), **self.growing}
        return self._sent(held[query["path"]][first : first + 5000])

    def _sent(self, body: bytes) -> httpx.Response:
        headers = {DIGEST_HEADER: hashlib.sha256(body).hexdigest()}
        if self.damaged and self.asked[-1].endswith(self.damages):
            self.damaged -= 1
            body = body[:-1] + bytes([body[-1] ^ 1]) if body else body
        return httpx.Response(200, content=body, headers=headers)


class LoadCluster(httpx.BaseTransport):
    """The API as far as load generators use it.

    Args:
        on_pod: told of each pod as it is made.
    """

    def __init__(self, on_pod: Callable[[ScriptedPod], None] = lambda _: None) -> None:
        self.on_pod = on_pod
        self.on_turn: Callable[[], None] = lambda: None
        """Called each time the pods are listed: the cluster's own time passes with it."""
        self.has_room = True
        self.gateway = (GATEWAY_ADDRESS, 80)
        self.away = 0
        """So many of the next requests that are not for a pod find no API server."""
        self.jobs: dict[str, Json] = {}
        self.secrets: dict[str, Json] = {}
        self.pods: dict[str, ScriptedPod] = {}
        self.made: list[Json] = []
        """Every Job and Secret that was ever made."""
        self.calls: list[str] = []

    def of(self, role: str) -> list[ScriptedPod]:
        return [pod for _, pod in sorted(self.pods.items()) if pod.role == role]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, method = request.url.path, request.method
        self.calls.append(f"{method} {path}")
        if self.away and "/proxy/" not in path:
            self.away -= 1
            raise httpx.ConnectError("refused", request=request)
        if "/proxy/" in path:
            name, _, rest = path.rpartition("/pods/")[2].partition(f":{AGENT_PORT}/proxy")
            return self.pods[name].answer(request, rest) if name in self.pods else _missing()
        if path == "/api/v1/namespaces/load":
            return httpx.Response(200, json={}) if self.has_room else _missing()
        if path.endswith("/services"):
            host, port = self.gateway
            ports = [{"name": "https-443", "port": 443}, {"name": "http-80", "port": port}]
            return _list([{"metadata": {"name": "e"}, "spec": {"clusterIP": host, "ports": ports}}])
        kind = path.split("/namespaces/load/")[1]
        if method == "POST":
            return self._make(kind, json.loads(request.content))
        if method == "GET":
            return self._listed(kind, request.url.params.get("labelSelector", ""))
        kind, _, name = kind.partition("/")
        if method == "PATCH":
            self.secrets[name]["metadata"] |= json.loads(request.content)["metadata"]
            return httpx.Response(200, json={})
        return self._delete(kind, name)

    def _make(self, kind: str, manifest: Json) -> httpx.Response:
        manifest = copy.deepcopy(manifest)
        name = manifest["metadata"]["name"]
        self.made.append(manifest)
        if kind == "secrets":
            self.secrets[name] = manifest
            return httpx.Response(201, json=manifest)
        manifest["metadata"]["uid"] = f"uid-{name}"
        self.jobs[name] = manifest
        indexed = manifest["spec"].get("completionMode") == "Indexed"
        for number in range(manifest["spec"].get("completions", 1)):
            pod = f"{name}-{number}-abcde" if indexed else f"{name}-abcde"
            role = manifest["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
            self.pods[pod] = ScriptedPod(pod, f"{number}-uid-of-{pod}", role, manifest)
            self.on_pod(self.pods[pod])
        return httpx.Response(201, json=manifest)

    def _listed(self, kind: str, selector: str) -> httpx.Response:
        if kind == "pods":
            self.on_turn()
            found = [pod.object() for _, pod in sorted(self.pods.items())]
        else:
            found = list({"jobs": self.jobs, "secrets": self.secrets}[kind].values())
        label, _, value = selector.partition("=")
        assert label in (LOAD_LABEL, "app.kubernetes.io/name")
        return _list([each for each in found if each["metadata"]["labels"].get(label) == value])

    def _delete(self, kind: str, name: str) -> httpx.Response:
        held: dict[str, Any] = {"jobs": self.jobs, "secrets": self.secrets, "pods": self.pods}[kind]
        if name not in held:
            return _missing()
        gone = held.pop(name)
        if kind == "jobs":
            for pod in [each for each in self.pods.values() if each.manifest is gone]:
                self.removed(pod)
                del self.pods[pod.name]
            self.secrets = {
                each: secret
                for each, secret in self.secrets.items()
                if not any(
                    owner["uid"] == gone["metadata"]["uid"]
                    for owner in secret["metadata"].get("ownerReferences", [])
                )
            }
        return httpx.Response(200, json={})

    def removed(self, pod: ScriptedPod) -> None:
        """A pod goes with its Job."""


def _list(objects: list[Json]) -> httpx.Response:
    return httpx.Response(200, json={"items": objects})


def _missing() -> httpx.Response:
    return httpx.Response(404, json={"message": "not found"})
