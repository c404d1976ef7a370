from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pulumi
import pytest

from infra.autoscaling.keda import MOST_TRIGGERS, NAMES, custom_resources, keda
from infra.manifests import Manifest
from infra.policy import check
from infra.policy.shape import of_kind
from tidegate.images.controllers import KEDA_DEFINITIONS


def objects() -> list[Manifest]:
    return keda("example/keda:1", "example/adapter:1", "ca", ("crt", "key"), ("client crt", "client key"))


def named(kind: str, name: str) -> Manifest:
    (found,) = [each for each in of_kind(objects(), kind) if each["metadata"]["name"] == name]
    return found


def container(name: str) -> dict[str, Any]:
    (found,) = named("Deployment", name)["spec"]["template"]["spec"]["containers"]
    return found


def mounted(name: str) -> dict[str, str]:
    """Path in the container to name of the secret."""
    pod = named("Deployment", name)["spec"]["template"]["spec"]
    secrets = {each["name"]: each["secret"]["secretName"] for each in pod["volumes"] if "secret" in each}
    mounts = container(name)["volumeMounts"]
    return {each["mountPath"]: secrets[each["name"]] for each in mounts if each["name"] in secrets}


def test_every_rule_holds() -> None:
    assert check(objects()) == []


@pytest.mark.parametrize("part", ["keda-operator", "keda-metrics-apiserver"])
def test_it_looks_at_the_services_namespace_and_reads_none_of_its_secrets(part: str) -> None:
    environment = {each["name"]: each["value"] for each in container(part)["env"]}
    assert environment == {
        "POD_NAMESPACE": "keda",
        "WATCH_NAMESPACE": "tidegate",
        "KEDA_RESTRICT_SECRET_ACCESS": "true",
    }
    for each in of_kind(objects(), "Role", "ClusterRole"):
        resources = [name for rule in each["rules"] for name in rule["resources"]]
        assert "secrets" not in resources or each["metadata"].get("namespace") == "keda"


def test_in_the_whole_cluster_it_reads_two_kinds_of_its_own() -> None:
    (role,) = of_kind(objects(), "ClusterRole")
    given = {name: rule["verbs"] for rule in role["rules"] for name in rule["resources"]}
    assert set(given) == {"clustertriggerauthentications", "clustercloudeventsources"}
    assert all(verbs == ["get", "list", "watch"] for verbs in given.values())


def test_it_makes_no_certificates_and_may_not_patch_who_trusts_them() -> None:
    assert "--enable-cert-rotation=false" in container("keda-operator")["args"]
    groups = {
        group
        for each in of_kind(objects(), "Role", "ClusterRole")
        for rule in each["rules"]
        for group in rule["apiGroups"]
    }
    assert not groups & {"apiregistration.k8s.io", "admissionregistration.k8s.io"}


def test_each_side_shows_its_own_certificate() -> None:
    assert mounted("keda-operator") == {"/certs": "keda-server"}
    assert mounted("keda-metrics-apiserver") == {"/serving": "keda-server", "/certs": "keda-client"}
    assert named("Secret", "keda-client")["stringData"]["tls.key"] == "client key"


def test_the_certificate_is_good_for_the_names_that_are_used() -> None:
    # The operator's default of --metrics-service-address, and what the API server asks for.
    assert "keda-operator.keda.svc.cluster.local" in NAMES
    assert "keda-metrics-apiserver.keda.svc" in NAMES


def test_the_api_server_trusts_the_authority(event_loop: None) -> None:
    bundle = named("APIService", "v1beta1.external.metrics.k8s.io")["spec"]["caBundle"]
    seen: list[str] = []
    assert isinstance(bundle, pulumi.Output)
    pulumi.runtime.test(lambda: bundle.apply(seen.append))()  # pyright: ignore[reportUnknownMemberType]
    assert base64.b64decode(seen[0]) == b"ca"


def test_two_operators_never_run_at_once() -> None:
    assert named("Deployment", "keda-operator")["spec"]["strategy"] == {"type": "Recreate"}


def test_the_autoscaler_may_read_the_metric_of_every_trigger() -> None:
    (rule,) = named("Role", "keda-metrics")["rules"]
    assert rule["resources"] == [f"s{index}-prometheus" for index in range(MOST_TRIGGERS)]


def test_only_its_operator_is_let_in_to_prometheus() -> None:
    policy = named("NetworkPolicy", "prometheus-from-keda")["spec"]
    assert policy["policyTypes"] == ["Ingress"]
    ((peer,),) = [rule["from"] for rule in policy["ingress"]]
    assert peer["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "keda-operator"}


def test_a_kind_that_is_not_used_has_no_schema(definitions: dict[str, Path]) -> None:
    found = {each["metadata"]["name"]: each for each in custom_resources(definitions[KEDA_DEFINITIONS])}
    jobs = found["scaledjobs.keda.sh"]["spec"]["versions"][0]
    objects = found["scaledobjects.keda.sh"]["spec"]["versions"][0]
    assert jobs["schema"]["openAPIV3Schema"]["x-kubernetes-preserve-unknown-fields"] is True
    assert jobs["subresources"] == objects["subresources"]
    assert objects["schema"]["openAPIV3Schema"] == {"type": "object", "properties": {"spec": {}}}
    assert all(each["metadata"] == {"name": name} for name, each in found.items())
