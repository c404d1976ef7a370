"""The right to find pods to scrape, given by each namespace to the one Prometheus."""

from __future__ import annotations

from infra.manifests import OBSERVABILITY_NAMESPACE, Manifest, role

PROMETHEUS = "prometheus"
"""Name of Prometheus' Deployment, Service and ServiceAccount, and value of its pods' name label."""


def scrape_rights(namespace: str) -> list[Manifest]:
    """Return the Role, and its binding, that lets Prometheus list the pods of `namespace` and no others."""
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]
    return role("prometheus-discovery", namespace, (OBSERVABILITY_NAMESPACE, PROMETHEUS), rules)
