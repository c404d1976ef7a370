"""Chaos Mesh's controller against a real API server with its own rights, and a daemon that only listens.

There are no nodes: pods and their addresses are written, not run. The API server asks for rights (RBAC) as
a cluster does, so that what the layer gives the controller and the DNS server is all that they have.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import httpx
from differential.control_plane import ControlPlane
from support.api_server import write_kubeconfig
from support.children import free_port, stop, wait_until

from infra.manifests import Manifest

NODE = "worker-1"
_PLACES = {
    "Namespace": "/api/v1/namespaces",
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/namespaces/{}/pods",
    "Service": "/api/v1/namespaces/{}/services",
    "EndpointSlice": "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "DNSChaos": "/apis/chaos-mesh.org/v1alpha1/namespaces/{}/dnschaos",
}
"""Where objects of a kind are kept. The kinds of the layer that are not here do nothing without nodes."""


class RestrictedPlane(ControlPlane):
    """A control plane whose users are ServiceAccounts with no rights but those that are given to them."""

    def _make_files(self) -> None:
        super()._make_files()
        with (self.folder / "tokens.csv").open("w") as file:
            file.write('tester-token,tester,tester,"system:masters"\n')
            for name in ("chaos-controller-manager", "chaos-dns-server"):
                user = f"system:serviceaccount:chaos-mesh:{name}"
                file.write(f"{name}-token,{user},{user}\n")

    def _run(self, name: str, *flags: str) -> None:
        super()._run(name, *(each.replace("AlwaysAllow", "RBAC") for each in flags))

    def kubeconfig(self, account: str) -> Path:
        """Write the kubeconfig of a ServiceAccount."""
        file = write_kubeconfig(self.folder / f"{account}.json", self.url, token=f"{account}-token")
        config = json.loads(file.read_text())
        config["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
        file.write_text(json.dumps(config))
        return file


def place(each: Manifest) -> str:
    """Return the path of the list that an object belongs to."""
    return _PLACES[each["kind"]].format(each["metadata"].get("namespace"))


def create(client: httpx.Client, each: Manifest) -> None:
    """Create an object, with its status where it has one."""
    made = client.post(place(each), json=each)
    assert made.status_code == 201, made.text
    if "status" in each and each["kind"] == "Pod":
        path = f"{place(each)}/{each['metadata']['name']}/status"
        done = client.patch(
            path,
            json={"status": each["status"]},
            headers={"Content-Type": "application/merge-patch+json"},
        )
        assert done.status_code == 200, done.text


def kept(each: Manifest) -> bool:
    """Whether an object of the layer is needed where no pod runs."""
    return each["kind"] in _PLACES


def pod(namespace: str, name: str, address: str, labels: Mapping[str, str]) -> Manifest:
    """Return a pod as it is when it runs on the node under `address`."""
    running = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": dict(labels)},
        "spec": {"nodeName": NODE, "containers": [{"name": "main", "image": "example/main:1"}]},
        "status": {
            "phase": "Running",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "containerStatuses": [
                {
                    "name": "main",
                    "image": "example/main:1",
                    "imageID": "sha256:1",
                    "containerID": f"containerd://{name}",
                    "ready": True,
                    "restartCount": 0,
                    "state": running,
                }
            ],
        },
    }


def own_address() -> str:
    """Return an address of this machine that is not a loopback one, which no EndpointSlice may hold."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.connect(("192.0.2.1", 9))  # sends nothing
        return line.getsockname()[0]


@dataclass
class Daemon:
    """Takes the controller's calls and keeps them: (container, DNS server, whether to set it)."""

    calls: list[tuple[str, str, bool]] = field(default_factory=list[tuple[str, str, bool]])
    port: int = 0

    def take(self, data: bytes, _context: object) -> bytes:
        """Answer `SetDNSServer`."""
        found: dict[int, bytes | int] = {}
        at = 0
        while at < len(data):
            number, is_text, length = data[at] >> 3, data[at] & 7 == 2, data[at + 1]
            at += 2
            found[number] = data[at : at + length] if is_text else length
            at += length if is_text else 0
        text = {number: each.decode() for number, each in found.items() if isinstance(each, bytes)}
        self.calls.append((text[1], text.get(2, ""), bool(found.get(3))))
        return b""

    @contextmanager
    def serving(self, address: str) -> Generator[None]:
        """Serve without TLS on `address`."""
        server = grpc.server(ThreadPoolExecutor(2))
        handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(self.take)
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("pb.ChaosDaemon", {"SetDNSServer": handler}),)
        )
        self.port = server.add_insecure_port(f"{address}:0")
        server.start()
        try:
            yield
        finally:
            server.stop(None).wait()


@contextmanager
def controller(
    program: Path, plane: RestrictedPlane, deployment: Manifest, changed: Mapping[str, str]
) -> Generator[Path]:
    """Run the controller as the layer's Deployment says.

    Args:
        program: the controller.
        plane: the API server.
        deployment: whose environment it gets.
        changed: variables that are other without a cluster.

    Yields:
        its log.
    """
    certificates = plane.folder / "webhook"
    certificates.mkdir()
    shutil.copy(plane.certificate, certificates / "tls.crt")
    shutil.copy(plane.key, certificates / "tls.key")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    ports: dict[str, Any] = {"METRICS_PORT": free_port(), "WEBHOOK_PORT": free_port()}
    env = {
        **os.environ,
        **{each["name"]: each["value"] for each in container["env"] if "value" in each},
        "NAMESPACE": "chaos-mesh",
        "CERTS_DIR": str(certificates),
        "METRICS_HOST": "127.0.0.1",
        "WEBHOOK_HOST": "127.0.0.1",
        "KUBECONFIG": str(plane.kubeconfig("chaos-controller-manager")),
        **{name: str(value) for name, value in {**ports, **changed}.items()},
    }
    path = plane.log("chaos-controller-manager")
    with path.open("wb") as log:
        process = subprocess.Popen([str(program)], stdout=log, stderr=log, env=env)
    health = f"http://127.0.0.1:{ports['METRICS_PORT']}/metrics"

    def up() -> bool:
        assert process.poll() is None, path.read_text()[-3000:]
        try:
            return httpx.get(health).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        wait_until(up, within_s=240, what="the controller")
        yield path
    finally:
        stop(process, signal.SIGTERM, within_s=60)
