from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.faults.definitions import definitions
from infra.faults.layer import FaultsArgs, Keys, manifests
from infra.manifests import Manifest
from infra.policy import EXEMPT, check
from tidegate.errors import TidegateError
from tidegate.images.injectors import fault_definitions, injectors
from tidegate.models.faults import FaultsConfig

KEYS = Keys("authority", ("certificate", "key"), ("client", "client key"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One definition, with a property that is called like the texts that are dropped."""
    schema = {"properties": {"description": {"type": "string", "description": "a text"}}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "podchaos.chaos-mesh.org"},
        "spec": {"versions": [{"schema": {"openAPIV3Schema": schema}}]},
    }
    (tmp_path / "podchaos.yaml").write_text(yaml.safe_dump(crd))
    return tmp_path


@pytest.fixture
def objects(folder: Path) -> list[Manifest]:
    args: Any = FaultsArgs(None, "example/controller:1", "example/daemon:1", "example/dns:1", folder)  # type: ignore[arg-type]
    return [each for group in manifests(args, KEYS) for each in group]


def one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def test_every_rule_holds(objects: list[Manifest]) -> None:
    assert check(objects) == []


def test_only_the_daemon_breaks_rules_and_is_exempt_by_name(objects: list[Manifest]) -> None:
    daemon = "DaemonSet chaos-mesh/chaos-daemon"
    broken = {(found.rule, found.subject) for found in check(objects, exempt={})}
    assert broken == {(rule, daemon) for rule, names in EXEMPT.items() if daemon in names}


def test_a_property_called_description_stays(folder: Path) -> None:
    (crd,) = definitions(folder)
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert schema == {"properties": {"description": {"type": "string"}}}


def test_a_module_without_definitions_is_named(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="no custom resource definitions"):
        definitions(tmp_path)


def test_rights_to_change_anything_end_at_the_services_namespace(objects: list[Manifest]) -> None:
    (wide,) = [each for each in objects if each["kind"] == "ClusterRole"]
    assert {verb for rule in wide["rules"] for verb in rule["verbs"]} == {"get", "list", "watch"}
    writers = {
        each["metadata"]["namespace"]
        for each in objects
        if each["kind"] == "Role" and any("delete" in rule["verbs"] for rule in each["rules"])
    }
    assert writers == {"tidegate"}


def test_the_controller_is_told_the_one_namespace(objects: list[Manifest]) -> None:
    pod = one(objects, "Deployment", "chaos-controller-manager")["spec"]["template"]["spec"]
    env = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    assert (env["CLUSTER_SCOPED"], env["TARGET_NAMESPACE"]) == ("false", "tidegate")


def test_nobody_but_the_controller_reaches_the_daemon(objects: list[Manifest]) -> None:
    spec = one(objects, "NetworkPolicy", "chaos-daemon")["spec"]
    ((rule),) = spec["ingress"]
    assert [peer["podSelector"]["matchLabels"] for peer in rule["from"]] == [
        {"app.kubernetes.io/name": "chaos-controller-manager"}
    ]
    assert "egress" not in spec


def test_the_daemon_asks_its_client_for_a_certificate(objects: list[Manifest]) -> None:
    pod = one(objects, "DaemonSet", "chaos-daemon")["spec"]["template"]["spec"]
    command = pod["containers"][0]["command"]
    assert {"--ca", "--cert", "--key"} <= set(command)


def test_no_admission_webhook_is_registered(objects: list[Manifest]) -> None:
    assert not [each for each in objects if each["kind"].endswith("WebhookConfiguration")]


def test_nothing_is_needed_unless_asked_for() -> None:
    off, on = FaultsConfig(), FaultsConfig(chaos_mesh=True)
    assert injectors(off) == fault_definitions(off) == []
    assert injectors(on) == ["chaos-controller-manager", "chaos-daemon", "chaos-coredns"]
