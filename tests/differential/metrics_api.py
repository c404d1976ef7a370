"""An aggregated API server for the three metrics APIs that answers from a script, one sync at a time.

The first metrics request of a sync waits until the script says what is to be seen (`answer`); the further
requests of the same sync are answered at once, and the first one after them waits again. So the controller
makes exactly one sync on each observation, and when a request waits, the sync before it has ended.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Object = dict[str, Any]

APIS = {
    "metrics.k8s.io": "v1beta1",
    "custom.metrics.k8s.io": "v1beta2",
    "external.metrics.k8s.io": "v1beta1",
}
_LONGEST_S = 50.0
"""A request is held no longer: the API server gives up on one after 60 s."""


@dataclass
class Answers:
    """What the metrics APIs say at one sync; a metric that is absent is answered with an error."""

    pods: list[Object] = field(default_factory=list[Object])
    """Items of metrics.k8s.io, as the API has them."""
    pod_metrics: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    object_metrics: dict[str, str] = field(default_factory=dict[str, str])
    external_metrics: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


@dataclass
class Served:
    """One sync's requests: when the first arrived, when it was answered, and how many there were."""

    arrived_s: float
    answered_s: float = 0.0
    requests: int = 0


class Gate:
    """One namespace's requests, held and let through.

    Args:
        requests: metrics requests that one sync makes; 0 lets everything through.
        answers: what is said while nothing is held.
    """

    def __init__(self, requests: int, answers: Answers | None = None) -> None:
        self._requests = requests
        self._answers = answers or Answers()
        self._left = 0
        self._closed = False
        self._turn = threading.Condition()
        self.waiting: float | None = None
        self.served = list[Served]()

    def wait(self, within_s: float) -> bool:
        """Wait until a request is held; False when none came in time."""
        with self._turn:
            return self._turn.wait_for(lambda: self.waiting is not None, within_s)

    def answer(self, answers: Answers) -> None:
        """Let the held request, and the others of its sync, see `answers`."""
        with self._turn:
            assert self.waiting is not None, "nothing is held"
            self._answers, self._left = answers, self._requests
            self.served.append(Served(self.waiting, time.time()))
            self.waiting = None
            self._turn.notify_all()

    def close(self) -> None:
        """Hold nothing any more; what still comes is answered with an error."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    def enter(self) -> Answers | None:
        """Return what a request is to see, after waiting for its turn; None when there is none to come."""
        if not self._requests:
            return self._answers
        with self._turn:
            if not self._left and not self._closed:
                self.waiting = time.time()
                self._turn.notify_all()
                self._turn.wait_for(lambda: self._left or self._closed, _LONGEST_S)
            if not self._left:
                return None
            self._left -= 1
            self.served[-1].requests += 1
            return self._answers


class MetricsApi:
    """The server; `gates` are by namespace."""

    def __init__(self, certificate: Path, key: Path) -> None:
        self.gates = dict[str, Gate]()
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                status, body = api.respond(urlsplit(self.path).path.strip("/").split("/"))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 256

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that goes away is none of our concern."""

        self._server = Server(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        # The handshake belongs to the connection's own thread, not to the one that accepts.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def release(self) -> None:
        """Let all held requests go, with an error."""
        for gate in self.gates.values():
            gate.close()

    def stop(self) -> None:
        """Let all held requests go and stop."""
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def respond(self, path: list[str]) -> tuple[int, Object]:
        """Return status and body for a path, cut at its slashes."""
        if len(path) == 3 and path[0] == "apis" and APIS.get(path[1]) == path[2]:
            return 200, _resources(path[1])
        if len(path) < 6 or path[3] != "namespaces":
            return 404, _failure("no such path")
        gate = self.gates.get(path[4])
        answers = gate.enter() if gate is not None else None
        if answers is None:
            return 503, _failure("nothing to say")
        return _answer(path[1], path[4], path[5:], answers)


def _answer(group: str, namespace: str, path: list[str], answers: Answers) -> tuple[int, Object]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if group == "metrics.k8s.io":
        return 200, _list(group, "PodMetricsList", answers.pods)
    name = path[-1]
    if group == "external.metrics.k8s.io":
        if name not in answers.external_metrics:
            return 404, _failure(f"no metric {name}")
        items = [
            {"metricName": name, "metricLabels": {"series": str(place)}, "timestamp": now, "value": value}
            for place, value in enumerate(answers.external_metrics[name])
        ]
        return 200, _list(group, "ExternalMetricValueList", items)
    values = answers.pod_metrics.get(name) if path[0] == "pods" else None
    if path[0] != "pods" and name in answers.object_metrics:
        values = {path[1]: answers.object_metrics[name]}
    if values is None:
        return 404, _failure(f"no metric {name}")
    kind, version = ("Pod", "/v1") if path[0] == "pods" else ("Deployment", "apps/v1")
    items: list[Object] = [
        {
            "describedObject": {"kind": kind, "namespace": namespace, "name": one, "apiVersion": version},
            "metric": {"name": name, "selector": None},
            "timestamp": now,
            "value": value,
        }
        for one, value in values.items()
    ]
    return 200, _list(group, "MetricValueList", items)


def _list(group: str, kind: str, items: list[Object]) -> Object:
    return {"kind": kind, "apiVersion": f"{group}/{APIS[group]}", "metadata": {}, "items": items}


def _resources(group: str) -> Object:
    found: list[Object] = []
    if group == "metrics.k8s.io":
        found = [{"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics"}]
        found[0]["verbs"] = ["get", "list"]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": f"{group}/{APIS[group]}",
        "resources": found,
    }


def _failure(message: str) -> Object:
    return {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": 404}
