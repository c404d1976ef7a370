"""Prometheus: a window on the last days, and the alerts. What is kept for good is in the Run."""

from __future__ import annotations

import hashlib

from infra import traffic
from infra.manifests import (
    GATEWAY_NAMESPACE,
    KUBELET_PORT,
    OBSERVABILITY_NAMESPACE,
    SERVICE_NAMESPACE,
    Manifest,
    cluster_role,
    config_map,
    http_probe,
    name_label,
    resources,
    service,
    service_account,
)
from infra.network.edge import METRICS_PORT, PROXY_LABELS
from infra.observability import kube_state_metrics
from infra.observability.deployment import deployment
from infra.observability.rules import rules_text
from infra.observability.scrape import RULES_FILE, configuration
from infra.scraping import PROMETHEUS as NAME
from tidegate.models.slo import Slo

PORT = 9090

_WEB_PORT = 8000
_WORKER_METRICS_PORT = 9191
# The slowest burn rate looks back over three days.
_RETENTION = "4d"
_RETENTION_SIZE = "1GB"


def prometheus(image: str, slo: Slo) -> list[Manifest]:
    """Return Prometheus' objects. The right to find pods is given by the namespaces it scrapes, not here.

    Args:
        image: image reference.
        slo: the objectives that its alerts are about.

    Raises:
        TidegateError: an objective cannot be measured.
    """
    files = {"prometheus.yml": configuration(), RULES_FILE: rules_text(slo)}
    container = {
        "image": image,
        "args": [
            "--config.file=/etc/prometheus-config/prometheus.yml",
            "--storage.tsdb.path=/prometheus",
            f"--storage.tsdb.retention.time={_RETENTION}",
            f"--storage.tsdb.retention.size={_RETENTION_SIZE}",
            f"--web.listen-address=:{PORT}",
        ],
        "ports": [{"name": "web", "containerPort": PORT, "protocol": "TCP"}],
        "livenessProbe": http_probe("/-/healthy", "web", periodSeconds=15, timeoutSeconds=5),
        "readinessProbe": http_probe("/-/ready", "web", periodSeconds=5, timeoutSeconds=5),
        "resources": resources(100, 192, cpu_limit_m=1000, memory_limit_mi=768),
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/prometheus-config", "readOnly": True},
            {"name": "data", "mountPath": "/prometheus"},
        ],
    }
    volumes = [
        {"name": "config", "configMap": {"name": NAME}},
        {"name": "data", "emptyDir": {"sizeLimit": "2Gi"}},
    ]
    nodes = [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
    ]
    revision = hashlib.sha256("\0".join(files.values()).encode()).hexdigest()[:16]
    return [
        service_account(NAME, OBSERVABILITY_NAMESPACE),
        *cluster_role("tidegate-prometheus", NAME, OBSERVABILITY_NAMESPACE, nodes),
        config_map(NAME, OBSERVABILITY_NAMESPACE, files),
        _traffic(),
        deployment(
            NAME,
            OBSERVABILITY_NAMESPACE,
            container,
            uid=65534,
            token=True,
            volumes=volumes,
            annotations={"tidegate/config-hash": revision},
        ),
        service(NAME, OBSERVABILITY_NAMESPACE, PORT, "web", selector=name_label(NAME)),
    ]


def _traffic() -> Manifest:
    targets = [
        traffic.egress(
            [_WEB_PORT, _WORKER_METRICS_PORT],
            traffic.pods(SERVICE_NAMESPACE, name_label("tidegate")),
        ),
        traffic.egress(
            [kube_state_metrics.PORT],
            traffic.pods(OBSERVABILITY_NAMESPACE, name_label(kube_state_metrics.NAME)),
        ),
        traffic.egress([METRICS_PORT], traffic.pods(GATEWAY_NAMESPACE, PROXY_LABELS)),
        traffic.egress([KUBELET_PORT], traffic.outside_pods()),
    ]
    return traffic.policy(
        NAME,
        OBSERVABILITY_NAMESPACE,
        name_label(NAME),
        # Read through the API server's proxy, which comes from a node; no pod asks.
        ingress_rules=[traffic.ingress([PORT], traffic.outside_pods())],
        egress_rules=[traffic.api_server(), traffic.dns(), *targets],
    )
