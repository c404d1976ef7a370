from __future__ import annotations

from typing import Any

import pytest
import yaml

from infra import traffic
from infra.faults.controller import controller
from infra.faults.dns import dns_server
from infra.manifests import Manifest
from infra.policy import check
from tidegate.host.paths import project_root

DNS = {"app.kubernetes.io/name": "chaos-dns-server"}


@pytest.fixture
def objects() -> list[Manifest]:
    return dns_server("example/dns:1")


def one(objects: list[Manifest], kind: str, name: str) -> Manifest:
    (found,) = [each for each in objects if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return found


def selects(policy: Manifest, labels: dict[str, str]) -> bool:
    return policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def allowed(rules: list[dict[str, Any]], side: str) -> set[tuple[str, str, int]]:
    """Protocol and port to whom: a namespace, or an address block."""
    return {
        (
            peer.get("namespaceSelector", {})
            .get("matchLabels", {})
            .get("kubernetes.io/metadata.name", "nodes"),
            port["protocol"],
            port["port"],
        )
        for rule in rules
        for peer in rule[side]
        for port in rule["ports"]
    }


def test_every_rule_holds(objects: list[Manifest]) -> None:
    assert check(objects, exempt={}) == []


def test_its_only_right_is_to_read_a_pod_of_the_service(objects: list[Manifest]) -> None:
    (role,) = [each for each in objects if each["kind"] in ("Role", "ClusterRole")]
    assert role["metadata"]["namespace"] == "tidegate"
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]


def test_who_reaches_it_and_whom_it_reaches(objects: list[Manifest]) -> None:
    spec = one(objects, "NetworkPolicy", "chaos-dns-server")["spec"]
    assert allowed(spec["ingress"], "from") == {
        ("tidegate", "UDP", 5353),
        ("tidegate", "TCP", 5353),
        ("chaos-mesh", "TCP", 9288),
    }
    assert allowed(spec["egress"], "to") == {
        ("nodes", "TCP", 6443),
        ("kube-system", "UDP", 53),
        ("kube-system", "TCP", 53),
    }


def test_the_pods_that_experiments_choose_may_ask_it(objects: list[Manifest]) -> None:
    experiment = yaml.safe_load((project_root() / "chaos" / "dns-error.yaml").read_text())
    chosen = experiment["spec"]["selector"]
    way = one(objects, "NetworkPolicy", "chaos-dns")
    assert chosen["namespaces"] == [way["metadata"]["namespace"]]
    assert selects(way, chosen["labelSelectors"])
    assert allowed(way["spec"]["egress"], "to") == {("chaos-mesh", "UDP", 5353), ("chaos-mesh", "TCP", 5353)}
    ((peer,),) = [rule["to"] for rule in way["spec"]["egress"]]
    assert peer == traffic.pods("chaos-mesh", DNS)
    (in_rule, _) = one(objects, "NetworkPolicy", "chaos-dns-server")["spec"]["ingress"]
    assert in_rule["from"][0]["podSelector"]["matchLabels"].items() <= chosen["labelSelectors"].items()


def test_the_service_leads_to_the_ports_of_the_pod(objects: list[Manifest]) -> None:
    pod = one(objects, "Deployment", "chaos-dns-server")["spec"]["template"]
    service = one(objects, "Service", "chaos-mesh-dns-server")["spec"]
    assert service["selector"].items() <= pod["metadata"]["labels"].items()
    ports = {
        port["name"]: (port["containerPort"], port["protocol"])
        for port in pod["spec"]["containers"][0]["ports"]
    }
    assert {(each["port"], *ports[each["targetPort"]]) for each in service["ports"]} == {
        (53, 5353, "UDP"),
        (53, 5353, "TCP"),
        (9288, 9288, "TCP"),
    }
    assert all(each["protocol"] == ports[each["targetPort"]][1] for each in service["ports"])


def test_the_configuration_says_the_ports_that_the_pod_has(objects: list[Manifest]) -> None:
    corefile = one(objects, "ConfigMap", "chaos-dns-server")["data"]["Corefile"]
    assert corefile.startswith(".:5353 {")
    assert "grpcport 9288" in corefile
    # Names in the zone of `k8s_dns_chaos` upstream's image looks up by rights that it is not given here.
    assert "k8s_dns_chaos invalid {" in corefile


def test_a_change_of_the_configuration_restarts_the_pod(
    objects: list[Manifest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.faults.dns.COREFILE", "another")
    before, after = (
        one(each, "Deployment", "chaos-dns-server")["spec"]["template"]["metadata"]["annotations"]
        for each in (objects, dns_server("example/dns:1"))
    )
    assert before != after


def test_the_controller_knows_its_name_and_may_find_it(objects: list[Manifest]) -> None:
    made = controller("example/controller:1", "certificate", "key")
    pod = one(made, "Deployment", "chaos-controller-manager")["spec"]["template"]["spec"]
    env = {each["name"]: each.get("value") for each in pod["containers"][0]["env"]}
    service = one(objects, "Service", str(env["CHAOS_DNS_SERVICE_NAME"]))
    grpc = next(each["port"] for each in service["spec"]["ports"] if each["name"] == "grpc")
    assert env["CHAOS_DNS_SERVICE_PORT"] == str(grpc)
    rights = {
        (resource, verb)
        for rule in one(made, "Role", "chaos-own")["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert {("services", "get"), ("pods", "list")} <= rights
    egress = one(made, "NetworkPolicy", "chaos-controller-manager")["spec"]["egress"]
    assert traffic.egress([grpc], traffic.pods("chaos-mesh", DNS)) in egress
