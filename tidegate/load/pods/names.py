"""Names, labels and ports that the layer, the Jobs, and who follows them agree on."""

from __future__ import annotations

NAMESPACE = "load"
"""Of generators and of nothing else."""

GENERATOR_LABELS = {"app.kubernetes.io/name": "tidegate-load"}
"""Of every pod, Job and Secret of a load."""
COMPONENT_LABEL = "app.kubernetes.io/component"
MASTER, WORKER = "master", "worker"
"""Its values: one pod directs, the others generate."""
LOAD_LABEL = "tidegate/load"
"""Which load a pod, Job or Secret belongs to."""

AGENT_PORT = 9646
"""Where a pod gives out its record; only the API server comes there."""
MASTER_PORT = 5557
"""Locust's own default."""

GATEWAY_NAMESPACE = "envoy-gateway-system"
GATEWAY_LABELS = {
    "gateway.envoyproxy.io/owning-gateway-name": "edge",
    "gateway.envoyproxy.io/owning-gateway-namespace": GATEWAY_NAMESPACE,
}
"""Labels that Envoy Gateway gives to the Service of a Gateway's proxies."""

UID = 10001
"""User of the image."""
IMAGE_FOLDER = "/opt/tidegate"
RECORD_FOLDER = "/record"
"""Where a pod writes its part of the Run."""
PASSWORD_KEY = "password"  # noqa: S105 - its key
