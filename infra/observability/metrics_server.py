"""CPU and memory of pods for the autoscaler: metrics-server behind the API `metrics.k8s.io`."""

from __future__ import annotations

from infra.manifests import (
    Manifest,
    cluster_role,
    cluster_role_binding,
    http_probe,
    meta,
    name_label,
    resources,
    service,
    service_account,
)
from infra.observability.deployment import deployment

RESOLUTION_S = 15
"""Seconds between two scrapes of a kubelet.

The binary's own default is 60, which would let the autoscaler decide on numbers a minute old; below 15 the
kubelet has no newer ones to give.
"""

_NAME = "metrics-server"
_NAMESPACE = "kube-system"
_PORT = 10250


def metrics_server(image: str) -> list[Manifest]:
    """Return metrics-server's objects, all in kube-system."""
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": meta("metrics-server-auth-reader", _NAMESPACE),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": "extension-apiserver-authentication-reader",
        },
        "subjects": [{"kind": "ServiceAccount", "name": _NAME, "namespace": _NAMESPACE}],
    }
    rules = [
        {"apiGroups": [""], "resources": ["nodes/metrics"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": ["get", "list", "watch"]},
    ]
    container = {
        "image": image,
        "args": [
            "--cert-dir=/tmp",
            f"--secure-port={_PORT}",
            f"--metric-resolution={RESOLUTION_S}s",
            "--kubelet-preferred-address-types=InternalIP",
            "--kubelet-use-node-status-port",
            # The kubelets of a kind cluster sign their serving certificates themselves.
            "--kubelet-insecure-tls",
        ],
        "ports": [{"name": "https", "containerPort": _PORT, "protocol": "TCP"}],
        "livenessProbe": http_probe("/livez", "https", scheme="HTTPS", periodSeconds=10),
        # Its own manifest waits 20 s before the first look; ready comes after two scrapes at any rate.
        "readinessProbe": http_probe("/readyz", "https", scheme="HTTPS", periodSeconds=5),
        "resources": resources(50, 64, cpu_limit_m=500, memory_limit_mi=192),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a path in the pod
    }
    return [
        service_account(_NAME, _NAMESPACE),
        *cluster_role("system:metrics-server", _NAME, _NAMESPACE, rules),
        cluster_role_binding(
            "metrics-server:system:auth-delegator", "system:auth-delegator", _NAME, _NAMESPACE
        ),
        reader,
        deployment(
            _NAME,
            _NAMESPACE,
            container,
            uid=1000,
            token=True,
            volumes=[{"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}}],
            priority="system-cluster-critical",
        ),
        service(_NAME, _NAMESPACE, 443, "https", selector=name_label(_NAME)),
        _api_service(),
    ]


def _api_service() -> Manifest:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": meta("v1beta1.metrics.k8s.io"),
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "service": {"name": _NAME, "namespace": _NAMESPACE, "port": 443},
            # It makes its own certificate at every start.
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        },
    }
