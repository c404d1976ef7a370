"""State of the objects as metrics: kube-state-metrics, for the kinds that the dashboards and rules use."""

from __future__ import annotations

from infra import traffic
from infra.manifests import (
    OBSERVABILITY_NAMESPACE,
    Manifest,
    cluster_role,
    http_probe,
    name_label,
    resources,
    service,
    service_account,
)
from infra.observability.deployment import deployment
from infra.scraping import PROMETHEUS

NAME = "kube-state-metrics"
PORT = 8080
_TELEMETRY_PORT = 8081

_KINDS = {
    "": ("nodes", "pods"),
    "apps": ("deployments", "replicasets", "statefulsets"),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("jobs",),
    "policy": ("poddisruptionbudgets",),
}
"""API group to resources. Secrets and ConfigMaps are not among them, as they are by default."""


def kube_state_metrics(image: str) -> list[Manifest]:
    """Return the objects of kube-state-metrics."""
    rules = [
        {"apiGroups": [group], "resources": list(kinds), "verbs": ["list", "watch"]}
        for group, kinds in _KINDS.items()
    ]
    shown = ",".join(sorted(kind for kinds in _KINDS.values() for kind in kinds))
    container = {
        "image": image,
        "args": [f"--resources={shown}", f"--port={PORT}", f"--telemetry-port={_TELEMETRY_PORT}"],
        "ports": [
            {"name": "metrics", "containerPort": PORT, "protocol": "TCP"},
            {"name": "telemetry", "containerPort": _TELEMETRY_PORT, "protocol": "TCP"},
        ],
        "livenessProbe": http_probe("/livez", "metrics", periodSeconds=15),
        "readinessProbe": http_probe("/readyz", "telemetry", periodSeconds=10),
        "resources": resources(10, 32, cpu_limit_m=250, memory_limit_mi=128),
    }
    prometheus = traffic.pods(OBSERVABILITY_NAMESPACE, name_label(PROMETHEUS))
    return [
        service_account(NAME, OBSERVABILITY_NAMESPACE),
        *cluster_role(NAME, NAME, OBSERVABILITY_NAMESPACE, rules),
        traffic.policy(
            NAME,
            OBSERVABILITY_NAMESPACE,
            name_label(NAME),
            ingress_rules=[traffic.ingress([PORT], prometheus)],
            egress_rules=[traffic.api_server()],
        ),
        deployment(NAME, OBSERVABILITY_NAMESPACE, container, uid=65534, token=True),
        service(NAME, OBSERVABILITY_NAMESPACE, PORT, "metrics", selector=name_label(NAME)),
    ]
