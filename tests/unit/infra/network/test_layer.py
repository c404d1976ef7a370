from __future__ import annotations

import json
from typing import Any

import pytest

from infra.cluster.config import GATEWAY_NODE_PORT, POD_CIDR, KindSpec, cni_template, intent
from infra.manifests import Manifest
from infra.network.edge import edge
from infra.network.firewall import firewall
from infra.network.flannel import flannel
from infra.policy import check


def one(objects: list[Manifest], kind: str) -> Manifest:
    (found,) = [each for each in objects if each["kind"] == kind]
    return found


def container(objects: list[Manifest]) -> dict[str, Any]:
    (found,) = one(objects, "DaemonSet")["spec"]["template"]["spec"]["containers"]
    return found


AGENTS = [flannel("example/flannel:1"), firewall("example/kube-router:1")]


@pytest.mark.parametrize("objects", AGENTS, ids=["flannel", "kube-router"])
class TestNodeAgents:
    def test_every_rule_holds_but_those_it_is_exempt_from(self, objects: list[Manifest]) -> None:
        assert check(objects) == []

    def test_it_has_two_capabilities_and_no_privilege(self, objects: list[Manifest]) -> None:
        security = container(objects)["securityContext"]
        assert security["capabilities"] == {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]}
        assert security["allowPrivilegeEscalation"] is False
        assert "privileged" not in security

    def test_it_runs_on_every_node_before_anything_else(self, objects: list[Manifest]) -> None:
        spec = one(objects, "DaemonSet")["spec"]["template"]["spec"]
        assert spec["tolerations"] == [{"operator": "Exists"}]
        assert spec["priorityClassName"] == "system-node-critical"

    def test_it_takes_turns_at_the_firewall(self, objects: list[Manifest]) -> None:
        mounts = [mount["mountPath"] for mount in container(objects)["volumeMounts"]]
        assert "/run/xtables.lock" in mounts


def test_one_pod_range_for_kind_and_flannel() -> None:
    config = one(flannel("x:1"), "ConfigMap")["data"]["net-conf.json"]
    assert json.loads(config)["Network"] == POD_CIDR
    assert json.loads(config)["Backend"] == {"Type": "host-gw"}
    assert POD_CIDR in intent(KindSpec("a", "b", 1, 8080, "c"))
    assert json.loads(cni_template())["plugins"][0]["ipMasq"] is False
    assert "--ip-masq" in container(flannel("x:1"))["args"]


def test_the_firewall_neither_routes_nor_replaces_kube_proxy() -> None:
    args = container(firewall("x:1"))["args"]
    assert {"--run-firewall=true", "--run-router=false", "--run-service-proxy=false"} <= set(args)


def test_envoy_is_reached_at_the_node_port_that_the_cluster_publishes() -> None:
    provider = one(edge("example/envoy:1", replicas=2), "EnvoyProxy")["spec"]["provider"]["kubernetes"]
    service = provider["envoyService"]
    (port,) = service["patch"]["value"]["spec"]["ports"]
    assert port["nodePort"] == GATEWAY_NODE_PORT
    # The published node runs no Envoy; with Local it would answer nobody.
    assert service["externalTrafficPolicy"] == "Cluster"
    assert provider["envoyDeployment"]["container"]["image"] == "example/envoy:1"


def test_routes_are_taken_from_namespaces_that_were_allowed() -> None:
    (listener,) = one(edge("x:1", replicas=1), "Gateway")["spec"]["listeners"]
    assert listener["allowedRoutes"]["namespaces"] == {
        "from": "Selector",
        "selector": {"matchLabels": {"tidegate/edge": "allowed"}},
    }
