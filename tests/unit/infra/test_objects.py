from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from infra.manifests import Manifest, config_map, meta, namespace, service, service_account
from infra.objects import object_name, phase, register, type_token, within
from infra.target import Target

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Deploy


@pytest.mark.parametrize(
    ("version", "kind", "token"),
    [
        ("v1", "ConfigMap", "kubernetes:core/v1:ConfigMap"),
        ("apps/v1", "Deployment", "kubernetes:apps/v1:Deployment"),
        ("gateway.networking.k8s.io/v1", "Gateway", "kubernetes:gateway.networking.k8s.io/v1:Gateway"),
    ],
)
def test_type(version: str, kind: str, token: str) -> None:
    assert type_token({"apiVersion": version, "kind": kind}) == token


def test_name_tells_kind_namespace_and_name() -> None:
    assert object_name(config_map("a", "b", {})) == "ConfigMap/b/a"
    assert object_name(namespace("b")[0]) == "Namespace/b"


def workload(kind: str) -> Manifest:
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta("x", "b"), "spec": {}}


def test_a_job_ends_before_what_serves_begins() -> None:
    kinds = ["Namespace", "ConfigMap", "Job", "Deployment", "HorizontalPodAutoscaler"]
    assert [phase(workload(kind)) for kind in kinds] == [0, 1, 2, 3, 4]


def test_a_service_is_not_waited_for(deploy: Deploy) -> None:
    (made,) = deploy(lambda: program([service("x", "b", 80, 80, selector={})])).objects()
    assert made.inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}


def program(manifests: list[Manifest]) -> None:
    layer = pulumi.ComponentResource("test:Layer", "layer")
    cluster = pulumi.CustomResource("test:Cluster", "cluster", {})
    ready = pulumi.CustomResource("test:Images", "images", {})
    provider: Any = pulumi.ProviderResource("kubernetes", "provider", {})
    register(manifests, within(layer, Target(provider, cluster, (ready,))))


def test_objects_wait_for_earlier_phases_and_for_what_makes_the_cluster_ready(deploy: Deploy) -> None:
    made = deploy(
        lambda: program([workload("Deployment"), service_account("x", "b"), *namespace("b"), workload("Job")])
    )
    assert made.waits_for("Deployment/b/x", "Job/b/x")
    assert made.waits_for("Job/b/x", "ServiceAccount/b/x")
    assert made.waits_for("ServiceAccount/b/x", "Namespace/b")
    assert made.waits_for("Namespace/b", "images")
    assert not made.waits_for("Job/b/x", "Deployment/b/x")


def test_objects_go_with_their_cluster(deploy: Deploy) -> None:
    made = deploy(lambda: program(namespace("b")))
    cluster = made.named("cluster").urn
    provider = made.named("provider").urn
    assert {each.deleted_with for each in made.objects()} == {cluster}
    assert all(each.provider.startswith(provider) for each in made.objects())


def test_the_engine_gets_the_manifest_as_it_is(deploy: Deploy) -> None:
    manifest = config_map("a", "b", {"snake_case.txt": "x"})
    (made,) = deploy(lambda: program([manifest])).objects()
    assert made.inputs == manifest
