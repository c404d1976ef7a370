"""NetworkPolicy rules, written as what they allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.cluster.config import POD_CIDR
from infra.manifests import API_SERVER_PORT, Manifest, meta

Rule = dict[str, Any]


def pods(namespace: str, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the peer that is the pods with `labels` in `namespace`."""
    return {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": dict(labels)},
    }


def outside_pods() -> dict[str, Any]:
    """Return the peer that is every address but a pod's: nodes, the API server, who comes by a NodePort."""
    return {"ipBlock": {"cidr": "0.0.0.0/0", "except": [POD_CIDR]}}


def ingress(ports: Sequence[int], *peers: Mapping[str, Any]) -> Rule:
    """Return a rule that lets `peers` in on TCP `ports`; without peers, everybody."""
    rule: Rule = {"ports": _tcp(ports)}
    return {"from": [dict(peer) for peer in peers], **rule} if peers else rule


def egress(ports: Sequence[int], *peers: Mapping[str, Any]) -> Rule:
    """Return a rule that lets pods out to `peers` on TCP `ports`; without peers, to everybody."""
    rule: Rule = {"ports": _tcp(ports)}
    return {"to": [dict(peer) for peer in peers], **rule} if peers else rule


def dns() -> Rule:
    """Return the rule that lets pods resolve names."""
    both = [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")]
    return {"to": [pods("kube-system", {"k8s-app": "kube-dns"})], "ports": both}


def api_server() -> Rule:
    """Return the rule that lets pods reach the API server, which has a node's address and no labels."""
    return egress([API_SERVER_PORT], outside_pods())


def policy(
    name: str,
    namespace: str,
    labels: Mapping[str, str],
    *,
    ingress_rules: Sequence[Rule] = (),
    egress_rules: Sequence[Rule] = (),
) -> Manifest:
    """Return a NetworkPolicy that allows the pods with `labels` exactly the given rules, in and out."""
    spec: dict[str, Any] = {
        "podSelector": {"matchLabels": dict(labels)},
        "policyTypes": ["Ingress", "Egress"],
    }
    if ingress_rules:
        spec["ingress"] = [dict(rule) for rule in ingress_rules]
    if egress_rules:
        spec["egress"] = [dict(rule) for rule in egress_rules]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": meta(name, namespace),
        "spec": spec,
    }


def _tcp(ports: Sequence[int]) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]
