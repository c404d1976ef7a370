from __future__ import annotations

from typing import Any

import pytest

from infra.load.layer import MASTER_LABELS, WORKER_LABELS, manifests
from infra.manifests import GATEWAY_NAMESPACE, Manifest
from infra.network.edge import PROXY_LABELS
from infra.policy import check
from tidegate.images.generators import generators
from tidegate.load.pods.names import AGENT_PORT, MASTER_PORT
from tidegate.models.load import LoadConfig


@pytest.fixture
def objects() -> list[Manifest]:
    return manifests(LoadConfig(in_cluster=True))


def traffic(objects: list[Manifest], name: str) -> dict[str, Any]:
    (found,) = [
        each for each in objects if (each["kind"], each["metadata"]["name"]) == ("NetworkPolicy", name)
    ]
    return found["spec"]


def said(rules: list[dict[str, Any]], side: str) -> set[tuple[str, int]]:
    """Return who is meant by each rule, and its port."""
    return {
        (
            "nodes"
            if "ipBlock" in peer
            else f"{peer['namespaceSelector']['matchLabels']['kubernetes.io/metadata.name']} "
            f"{sorted(peer['podSelector']['matchLabels'].items())}",
            port["port"],
        )
        for rule in rules
        for peer in rule[side]
        for port in rule["ports"]
    }


MASTER, WORKER = f"load {sorted(MASTER_LABELS.items())}", f"load {sorted(WORKER_LABELS.items())}"
PROXY = f"{GATEWAY_NAMESPACE} {sorted(PROXY_LABELS.items())}"


def test_every_rule_holds(objects: list[Manifest]) -> None:
    assert check(objects) == []


def test_no_pod_and_no_right_is_there_between_loads(objects: list[Manifest]) -> None:
    assert {each["kind"] for each in objects} == {"Namespace", "NetworkPolicy", "ResourceQuota"}
    (space,) = [each for each in objects if each["kind"] == "Namespace"]
    assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_workers_reach_the_gateway_and_the_master_and_nothing_else(objects: list[Manifest]) -> None:
    spec = traffic(objects, "worker")
    assert said(spec["egress"], "to") == {(PROXY, 10080), (MASTER, MASTER_PORT)}
    assert said(spec["ingress"], "from") == {("nodes", AGENT_PORT)}


def test_the_master_reaches_nobody(objects: list[Manifest]) -> None:
    spec = traffic(objects, "master")
    assert "egress" not in spec
    assert said(spec["ingress"], "from") == {("nodes", AGENT_PORT), (WORKER, MASTER_PORT)}


def test_nothing_is_needed_unless_asked_for() -> None:
    assert generators(LoadConfig()) == []
    assert generators(LoadConfig(in_cluster=True)) == ["load"]
