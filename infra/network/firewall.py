"""Enforcement of NetworkPolicy: kube-router with its firewall only.

flannel carries packets and knows no policy. kube-router could route as well; it is told not to, for flannel
does, and not to replace kube-proxy.
"""

from __future__ import annotations

from infra.manifests import Manifest, cluster_role, http_probe, meta, name_label, service_account
from infra.network.node_agent import XTABLES_LOCK, daemon_set

_HEALTH_PORT = 20244
"""kube-router's own default."""


def firewall(image: str) -> list[Manifest]:
    """Return kube-router's objects, all in kube-system."""
    look = ["get", "list", "watch"]
    rules = [
        {
            "apiGroups": [""],
            "resources": ["namespaces", "pods", "services", "nodes", "endpoints"],
            "verbs": look,
        },
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": look},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": look},
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["get", "create", "update"]},
    ]
    probe = http_probe("/healthz", _HEALTH_PORT, periodSeconds=10, failureThreshold=6)
    container = {
        "name": "kube-router",
        "image": image,
        "args": [
            "--run-firewall=true",
            "--run-router=false",
            "--run-service-proxy=false",
            f"--health-port={_HEALTH_PORT}",
            "--v=0",
        ],
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "volumeMounts": [
            {"name": "xtables-lock", "mountPath": "/run/xtables.lock"},
            {"name": "modules", "mountPath": "/lib/modules", "readOnly": True},
        ],
    }
    volumes = [XTABLES_LOCK, {"name": "modules", "hostPath": {"path": "/lib/modules"}}]
    return [
        service_account("kube-router", "kube-system"),
        *cluster_role("kube-router", "kube-router", "kube-system", rules),
        daemon_set(meta("kube-router", "kube-system", labels=name_label("kube-router")), container, volumes),
    ]
