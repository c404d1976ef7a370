"""Every object there can be is of the API that the cluster has, and every pod is admitted where it goes."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.kube_checks import KUBERNETES, at_hand, kubeconform, pod_security, tool
from support.kube_schemas import write_schemas
from support.rendered import ROOT, images_of, stacks

from infra.images import Images
from infra.manifests import Manifest
from infra.policy.shape import of_kind, pod_spec, section, subject, workloads
from tidegate.images.ensure import ensure_files
from tidegate.images.gomod import read_pins

pytestmark = pytest.mark.integration

LEVEL = "pod-security.kubernetes.io/enforce"

PRIVILEGED: Mapping[str, str] = {
    "kube-system": "Kubernetes' own, enforces nothing: kube-proxy and the control plane's pods need the "
    "node's network and files, and so do flannel and kube-router, which are put beside them",
    "chaos-mesh": "the injector enters other containers' namespaces and cgroups; where a stack asks for it",
    "local-path-storage": "kind's own place of the provisioner, whose helper pods make folders on the node",
}
"""Namespaces that do not enforce `restricted`, and why. Every other one does."""

UNRESTRICTED: Mapping[str, str] = {
    "DaemonSet kube-system/flannel": "writes routes: the node's network, NET_ADMIN and NET_RAW, root",
    "DaemonSet kube-system/kube-router": "writes the firewall: the same",
    "DaemonSet chaos-mesh/chaos-daemon": "privileged, in the node's process namespace",
    "Pod local-path-storage/helper-pod": "makes and removes a volume's folder on the node, as root",
}
"""Pods that `restricted` would refuse. The other pods of those namespaces would be admitted anywhere."""


@pytest.fixture(scope="module")
def everything(rendered: Mapping[str, Sequence[Manifest]]) -> list[Manifest]:
    """Each object once, however many stacks make it."""
    return unique(each for objects in rendered.values() for each in objects)


def unique(objects: Iterable[Manifest]) -> list[Manifest]:
    return list({json.dumps(each, sort_keys=True): each for each in objects}.values())


@pytest.fixture(scope="module")
def schemas(everything: Sequence[Manifest], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Schemas of the very version that the cluster runs, and of every definition that is rendered."""
    openapi = at_hand(lambda: ensure_files("kubernetes-openapi"))
    folder = tmp_path_factory.mktemp("schemas")
    write_schemas(openapi, everything, folder)
    return folder


@pytest.fixture(scope="session")
def conform() -> Path:
    return tool("kubeconform")


@pytest.fixture(scope="session")
def admission() -> Path:
    return tool("pod-security")


@pytest.fixture(scope="module")
def pods(everything: Sequence[Manifest]) -> list[Manifest]:
    """All that makes pods, and the pod that a provisioner makes from a text."""
    found = [each for each, _ in workloads(everything)]
    (settings,) = [each for each in of_kind(everything, "ConfigMap") if "helperPod.yaml" in each["data"]]
    helper: Manifest = yaml.safe_load(settings["data"]["helperPod.yaml"])
    helper["metadata"]["namespace"] = settings["metadata"]["namespace"]
    return [*found, helper]


def one(objects: Sequence[Manifest], name: str) -> Manifest:
    """Return a copy of an object, to be spoilt."""
    return copy.deepcopy(next(each for each in objects if subject(each) == name))


class TestStacks:
    def test_between_them_they_use_every_image_there_is(self) -> None:
        used = {name for stack in stacks().values() for name in images_of(stack)}
        assert used == {each.name for each in fields(Images)}

    def test_every_mode_of_the_vertical_autoscaler_that_makes_other_objects_is_there(
        self, everything: Sequence[Manifest]
    ) -> None:
        found = of_kind(everything, "VerticalPodAutoscaler")
        modes = {section(each, "spec", "updatePolicy")["updateMode"] for each in found}
        assert {"Off", "InPlaceOrRecreate", "Recreate"} <= modes

    def test_both_ways_of_scaling_the_web_pods_are_there(self, everything: Sequence[Manifest]) -> None:
        names = {subject(each) for each in everything}
        assert {
            "HorizontalPodAutoscaler tidegate/tidegate-web",
            "ScaledObject tidegate/tidegate-web",
        } <= names


class TestConformance:
    def test_every_object_is_of_the_api_that_the_cluster_has(
        self, everything: Sequence[Manifest], conform: Path, schemas: Path, tmp_path: Path
    ) -> None:
        assert kubeconform(conform, schemas, everything, tmp_path) == {}

    @pytest.mark.parametrize(
        ("name", "path", "wrong"),
        [
            ("Deployment tidegate/tidegate-web", ("spec", "template", "spec"), "enableServiceLink"),
            ("Deployment observability/prometheus", ("spec",), "replcas"),
            ("ScaledObject tidegate/tidegate-worker", ("spec",), "minReplicas"),
            ("HTTPRoute tidegate/tidegate-web", ("spec",), "hostname"),
            ("Namespace data", ("metadata",), "label"),
            ("CustomResourceDefinition scaledobjects.keda.sh", ("spec",), "version"),
            ("NetworkChaos tidegate/network-delay", ("spec", "delay"), "latencyMs"),
        ],
    )
    def test_a_misspelt_field_is_noticed(
        self,
        everything: Sequence[Manifest],
        conform: Path,
        schemas: Path,
        tmp_path: Path,
        name: str,
        path: Sequence[str],
        wrong: str,
    ) -> None:
        spoilt = one(everything, name)
        section(spoilt, *path)[wrong] = 1
        found = kubeconform(conform, schemas, [spoilt], tmp_path)
        assert set(found) == {name}
        assert wrong in found[name]

    def test_a_wrong_type_is_noticed(
        self, everything: Sequence[Manifest], conform: Path, schemas: Path, tmp_path: Path
    ) -> None:
        spoilt = one(everything, "Service tidegate/tidegate-web")
        spoilt["spec"]["ports"][0]["port"] = "80"
        assert set(kubeconform(conform, schemas, [spoilt], tmp_path)) == {subject(spoilt)}

    def test_a_kind_that_nothing_defines_is_noticed(
        self, conform: Path, schemas: Path, tmp_path: Path
    ) -> None:
        unknown = {"apiVersion": "example.org/v1", "kind": "Unknown", "metadata": {"name": "x"}}
        assert "could not find schema" in kubeconform(conform, schemas, [unknown], tmp_path)["Unknown x"]


class TestPodSecurity:
    def test_every_namespace_enforces_restricted_but_those_with_a_reason(
        self, everything: Sequence[Manifest]
    ) -> None:
        assert {name for name, level in levels(everything).items() if level != "restricted"} == set(
            PRIVILEGED
        )

    def test_every_pod_is_admitted_where_it_goes(
        self, everything: Sequence[Manifest], pods: Sequence[Manifest], admission: Path
    ) -> None:
        assert pod_security(admission, levels(everything), pods) == {}

    def test_every_pod_but_those_with_a_reason_is_restricted(
        self, everything: Sequence[Manifest], pods: Sequence[Manifest], admission: Path
    ) -> None:
        strictly = dict.fromkeys(levels(everything), "restricted")
        assert set(pod_security(admission, strictly, pods)) == set(UNRESTRICTED)

    @pytest.mark.parametrize(
        ("spoil", "said"),
        [
            ({"privileged": True}, "privileged"),
            ({"runAsUser": 0}, "runAsUser=0"),
            ({"capabilities": {}}, "unrestricted capabilities"),
        ],
    )
    def test_a_container_that_may_do_more_is_refused(
        self, everything: Sequence[Manifest], admission: Path, spoil: Mapping[str, Any], said: str
    ) -> None:
        name = "Deployment tidegate/tidegate-web"
        spoilt = one(everything, name)
        pod_spec(spoilt)["containers"][0]["securityContext"].update(spoil)
        found = pod_security(admission, levels(everything), [spoilt])
        assert said in " ".join(found[name])

    def test_the_rules_are_those_of_the_version_that_runs(self) -> None:
        go = ROOT / "images" / "go"
        rules = read_pins(go / "pod-security").pin("k8s.io/pod-security-admission").version
        runs = read_pins(go / "kubernetes").pin("k8s.io/kubernetes").version
        assert rules.removeprefix("v0.") == runs.removeprefix("v1.")
        assert runs.startswith(f"{KUBERNETES}.")


def levels(objects: Sequence[Manifest]) -> dict[str, str]:
    """Return the level that each namespace enforces; one that says nothing, as kube-system, enforces none."""
    spaces = of_kind(objects, "Namespace")
    said = {each["metadata"]["name"]: section(each, "metadata", "labels").get(LEVEL) for each in spaces}
    return {name: level or "privileged" for name, level in {"kube-system": None, **said}.items()}
