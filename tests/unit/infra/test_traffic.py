from __future__ import annotations

from infra import traffic
from infra.cluster.config import POD_CIDR
from infra.network.edge import CONTROLLER_LABELS, PROXY_LABELS, ROUTES_LABEL, edge_traffic


def test_without_rules_nothing_is_allowed_either_way() -> None:
    spec = traffic.policy("x", "ns", {"app": "x"})["spec"]
    assert spec == {"podSelector": {"matchLabels": {"app": "x"}}, "policyTypes": ["Ingress", "Egress"]}


def test_a_peer_is_a_pod_in_a_namespace_not_one_or_the_other() -> None:
    # Two list items would mean: every pod of that namespace, and every such pod anywhere.
    (peer,) = traffic.ingress([80], traffic.pods("ns", {"app": "x"}))["from"]
    assert set(peer) == {"namespaceSelector", "podSelector"}


def test_the_api_server_is_no_pod() -> None:
    rule = traffic.api_server()
    assert rule["to"] == [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [POD_CIDR]}}]
    assert rule["ports"] == [{"protocol": "TCP", "port": 6443}]


def test_the_edge_is_open_to_everybody_on_its_one_port_only() -> None:
    (envoy,) = [each["spec"] for each in edge_traffic() if each["metadata"]["name"] == "envoy"]
    open_ = [rule for rule in envoy["ingress"] if "from" not in rule]
    assert open_ == [{"ports": [{"protocol": "TCP", "port": 10080}]}]


def test_envoy_reaches_the_controller_web_ports_and_namespaces_that_have_routes() -> None:
    (envoy,) = [each["spec"] for each in edge_traffic() if each["metadata"]["name"] == "envoy"]
    peers = [peer for rule in envoy["egress"] for peer in rule["to"]]
    assert traffic.pods("envoy-gateway-system", CONTROLLER_LABELS) in peers
    assert {"namespaceSelector": {"matchLabels": ROUTES_LABEL}} in peers
    assert {"ipBlock": {"cidr": POD_CIDR}} in peers
    assert len(peers) == 4


def test_only_envoy_speaks_to_the_controller() -> None:
    (controller,) = [each["spec"] for each in edge_traffic() if each["metadata"]["name"] == "controller"]
    first, metrics = controller["ingress"]
    assert first["from"] == [traffic.pods("envoy-gateway-system", PROXY_LABELS)]
    assert [port["port"] for port in metrics["ports"]] == [19001]
