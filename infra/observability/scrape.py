"""What Prometheus scrapes, and how often."""

from __future__ import annotations

from typing import Any

import yaml

from infra.manifests import GATEWAY_NAMESPACE, OBSERVABILITY_NAMESPACE, SERVICE_NAMESPACE
from infra.observability import kube_state_metrics

SERVICE_INTERVAL_S = 5
"""The service's own counters: a spike of a minute should have a dozen points."""

CLUSTER_INTERVAL_S = 15
"""All else. The kubelet itself looks no more often than every 10 s."""

RULES_FILE = "rules.yml"
"""Beside prometheus.yml."""

_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 - a path
_CA = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"

_CADVISOR_METRICS = (
    "container_cpu_usage_seconds_total|container_cpu_cfs_.*|container_memory_working_set_bytes"
)
_ENVOY_METRICS = (
    "envoy_cluster_upstream_rq_(total|retry.*|timeout|xx|pending_overflow)|envoy_http_downstream_rq_.*"
)


def configuration() -> str:
    """Return the text of prometheus.yml."""
    document = {
        "global": {"scrape_interval": f"{CLUSTER_INTERVAL_S}s", "scrape_timeout": f"{SERVICE_INTERVAL_S}s"},
        "rule_files": [RULES_FILE],
        "scrape_configs": [_service(), _kube_state(), _cadvisor(), _envoy()],
    }
    return yaml.safe_dump(document, sort_keys=False)


def _pods(namespace: str) -> list[dict[str, Any]]:
    return [{"role": "pod", "namespaces": {"names": [namespace]}}]


def _relabel(source: str, target: str) -> dict[str, Any]:
    return {"source_labels": [source], "target_label": target}


def _keep(source: str, regex: str) -> dict[str, Any]:
    return {"action": "keep", "source_labels": [source], "regex": regex}


def _service() -> dict[str, Any]:
    """The pods that ask for it by annotation, at the port they name; pods that are gone do not linger."""
    annotation = "__meta_kubernetes_pod_annotation_prometheus_io"
    return {
        "job_name": "service",
        "scrape_interval": f"{SERVICE_INTERVAL_S}s",
        "kubernetes_sd_configs": _pods(SERVICE_NAMESPACE),
        "relabel_configs": [
            _keep(f"{annotation}_scrape", "true"),
            {
                "action": "drop",
                "source_labels": ["__meta_kubernetes_pod_phase"],
                "regex": "Succeeded|Failed",
            },
            # A pod is discovered once a port; the annotation says which one it means.
            {
                "action": "keepequal",
                "source_labels": ["__meta_kubernetes_pod_container_port_number"],
                "target_label": f"{annotation}_port",
            },
            _relabel("__meta_kubernetes_pod_name", "pod"),
            _relabel("__meta_kubernetes_pod_container_name", "container"),
            _relabel("__meta_kubernetes_pod_node_name", "node"),
        ],
    }


def _kube_state() -> dict[str, Any]:
    target = f"{kube_state_metrics.NAME}.{OBSERVABILITY_NAMESPACE}.svc:{kube_state_metrics.PORT}"
    # Its own labels say which object a sample is about; those of the target must not replace them.
    static = [{"targets": [target]}]
    return {"job_name": "kube-state-metrics", "honor_labels": True, "static_configs": static}


def _cadvisor() -> dict[str, Any]:
    """CPU, throttling and memory of containers, from each kubelet itself.

    The way through the API server's proxy would need `nodes/proxy`, with which one can also run commands in
    every pod.
    """
    return {
        "job_name": "cadvisor",
        "scheme": "https",
        "metrics_path": "/metrics/cadvisor",
        "authorization": {"credentials_file": _TOKEN},
        # The kubelets of a kind cluster sign their serving certificates themselves.
        "tls_config": {"ca_file": _CA, "insecure_skip_verify": True},
        "kubernetes_sd_configs": [{"role": "node"}],
        "relabel_configs": [_relabel("__meta_kubernetes_node_name", "node")],
        "metric_relabel_configs": [_keep("__name__", _CADVISOR_METRICS), _keep("container", ".+")],
    }


def _envoy() -> dict[str, Any]:
    """What the edge retried, timed out and refused."""
    return {
        "job_name": "envoy",
        "metrics_path": "/stats/prometheus",
        "kubernetes_sd_configs": _pods(GATEWAY_NAMESPACE),
        "relabel_configs": [
            _keep("__meta_kubernetes_pod_label_app_kubernetes_io_component", "proxy"),
            _keep("__meta_kubernetes_pod_container_port_name", "metrics"),
            _relabel("__meta_kubernetes_pod_name", "pod"),
        ],
        "metric_relabel_configs": [_keep("__name__", _ENVOY_METRICS)],
    }
