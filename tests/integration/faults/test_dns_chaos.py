"""chaos/dns-error.yaml from the API server to the answer: controller and DNS server, but no cluster."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from support.chaos_plane import (
    NODE,
    Daemon,
    RestrictedPlane,
    controller,
    create,
    kept,
    own_address,
    place,
    pod,
)
from support.children import wait_until
from support.dns_chaos import BEHIND, NOERROR, SERVFAIL, Answer, DnsServer, dns_server, server_behind
from support.kube_checks import at_hand
from support.own_engine import lacking

from infra.faults.definitions import definitions
from infra.faults.dns import COREFILE
from infra.faults.layer import FaultsArgs, Keys, manifests
from infra.manifests import Manifest
from tidegate.host.paths import project_root
from tidegate.images import ensure_files, ensure_programs
from tidegate.images.injectors import CHAOS_DEFINITIONS
from tidegate.run.objects import items, text

pytestmark = pytest.mark.integration

PROGRAMS = ("etcd", "kube-apiserver", "chaos-controller-manager", "chaos-coredns")
POSTGRES = "postgres.data.svc.cluster.local"
WEB = {"app.kubernetes.io/name": "tidegate", "app.kubernetes.io/component": "web"}
PODS = {"web-1": "127.0.0.11", "web-2": "127.0.0.12"}
OTHER = "127.0.0.13"
RIGHT, WRONG = Answer(NOERROR, (BEHIND,)), Answer(SERVFAIL)


@dataclass(frozen=True)
class Placed:
    """All that an experiment meets."""

    client: httpx.Client
    names: DnsServer
    daemon: Daemon
    service: str
    """Address of the DNS server's Service."""
    log: Path


def one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def surroundings(names: Manifest, address: str) -> list[Manifest]:
    """The pods that run, and where the daemon is found."""
    slices = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": "chaos-daemon-1", "namespace": "chaos-mesh"},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "nodeName": NODE}],
        "ports": [],
    }
    chosen = [pod("tidegate", name, where, WEB) for name, where in PODS.items()]
    return [*chosen, pod("chaos-mesh", "dns", "127.0.0.1", names["spec"]["selector"]), slices]


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Generator[Placed]:
    lacking([] if shutil.which("openssl") else ["openssl"])
    programs = at_hand(lambda: ensure_programs(PROGRAMS))
    folder = tmp_path_factory.mktemp("plane")
    args: Any = FaultsArgs(None, "example/c:1", "example/d:1", "example/n:1", at_hand(_definitions))  # type: ignore[arg-type]
    layer = [each for group in manifests(args, Keys("", ("", ""), ("", ""))) for each in group]
    plane, daemon, address = RestrictedPlane(programs, folder), Daemon(), own_address()
    try:
        plane.start()
        with plane.client() as client, server_behind() as behind, daemon.serving(address):
            tidegate = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tidegate"}}
            for each in [tidegate, *layer]:
                if kept(each):
                    create(client, each)
            service = one(layer, "Service", "chaos-mesh-dns-server")
            for each in surroundings(service, address):
                create(client, each)
            said = client.get(f"{place(service)}/{service['metadata']['name']}").json()
            account = plane.kubeconfig("chaos-dns-server")
            with dns_server(programs["chaos-coredns"], COREFILE, account, behind, folder) as names:
                ports = {"CHAOS_DNS_SERVICE_PORT": names.orders, "CHAOS_DAEMON_SERVICE_PORT": daemon.port}
                changed = {name: str(port) for name, port in ports.items()} | {"CHAOS_MESH_CA_CERT": ""}
                deployed = one(layer, "Deployment", "chaos-controller-manager")
                with controller(programs["chaos-controller-manager"], plane, deployed, changed) as log:
                    yield Placed(client, names, daemon, said["spec"]["clusterIP"], log)
    finally:
        plane.stop()


def _definitions() -> Path:
    folder = ensure_files(CHAOS_DEFINITIONS)
    assert definitions(folder)
    return folder


def conditions(client: httpx.Client, each: Manifest) -> dict[str, bool]:
    """The experiment's conditions, by their type."""
    said = client.get(f"{place(each)}/{each['metadata']['name']}").json()
    known = items(said, "status", "conditions")
    return {text(each, "type"): text(each, "status") == "True" for each in known}


def test_the_experiment_is_injected_and_lifted(placed: Placed) -> None:
    experiment = yaml.safe_load((project_root() / "chaos" / "dns-error.yaml").read_text())
    asked = lambda: [placed.names.ask(POSTGRES, source=each) for each in PODS.values()]  # noqa: E731
    assert asked() == [RIGHT, RIGHT]

    create(placed.client, experiment)
    wait_until(lambda: conditions(placed.client, experiment).get("AllInjected", False), what="AllInjected")
    assert asked() == [WRONG, WRONG]
    assert placed.names.ask(POSTGRES, source=OTHER) == RIGHT
    assert sorted(placed.daemon.calls) == [(f"containerd://{name}", placed.service, True) for name in PODS]

    placed.daemon.calls.clear()
    path = f"{place(experiment)}/{experiment['metadata']['name']}"
    assert placed.client.delete(path).status_code == 200
    wait_until(lambda: placed.client.get(path).status_code == 404, what="the end of the experiment")
    assert asked() == [RIGHT, RIGHT]
    assert sorted(placed.daemon.calls) == [(f"containerd://{name}", "", False) for name in PODS]


def test_the_rights_that_the_layer_gives_are_enough(placed: Placed) -> None:
    assert "forbidden" not in placed.log.read_text()
