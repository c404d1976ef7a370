"""Parts that the manifests of all layers share.

Manifests are plain dictionaries until they are registered, so that they can be checked, counted and compared
without Pulumi.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Manifest = dict[str, Any]
"""A Kubernetes object. Values may be Pulumi outputs where they are secret, and only there."""

SERVICE_NAMESPACE = "tidegate"
DATA_NAMESPACE = "data"
OBSERVABILITY_NAMESPACE = "observability"
GATEWAY_NAMESPACE = "envoy-gateway-system"

API_SERVER_PORT = 6443
"""Port of the API server on its node, which is what NetworkPolicy sees, not the Service's 443."""

KUBELET_PORT = 10250


def meta(
    name: str,
    namespace: str | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return metadata; the name is always explicit, so that Pulumi appends nothing to it."""
    parts = {"name": name, "namespace": namespace, "labels": labels, "annotations": annotations}
    return {key: value if isinstance(value, str) else dict(value) for key, value in parts.items() if value}


def name_label(name: str) -> dict[str, str]:
    """Return the label by which selectors find the pods of `name`."""
    return {"app.kubernetes.io/name": name}


def namespace(name: str, *, labels: Mapping[str, str] | None = None) -> list[Manifest]:
    """Return a namespace that admits only restricted pods, none of which may talk until it is allowed."""
    restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    return [
        {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": meta(name, labels={**restricted, **(labels or {})}),
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": meta("default-deny", name),
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]},
        },
    ]


def pod_security(uid: int) -> dict[str, Any]:
    """Return a pod's securityContext under the restricted standard, for user and group `uid`."""
    ids = {"runAsUser": uid, "runAsGroup": uid, "fsGroup": uid}
    return {"runAsNonRoot": True, **ids, "seccompProfile": {"type": "RuntimeDefault"}}


def container_security() -> dict[str, Any]:
    """Return a container's securityContext under the restricted standard, with a read-only root."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def resources(cpu_m: int, memory_mi: int, *, cpu_limit_m: int, memory_limit_mi: int) -> dict[str, Any]:
    """Return requests (milli-cores, mebibytes) and limits of a container."""
    return {
        "requests": {"cpu": f"{cpu_m}m", "memory": f"{memory_mi}Mi"},
        "limits": {"cpu": f"{cpu_limit_m}m", "memory": f"{memory_limit_mi}Mi"},
    }


def http_probe(path: str, port: int | str, *, scheme: str = "HTTP", **timing: int) -> dict[str, Any]:
    """Return a probe that asks `path`; `timing` are fields such as periodSeconds."""
    get: dict[str, Any] = {"path": path, "port": port}
    return {"httpGet": get if scheme == "HTTP" else {**get, "scheme": scheme}, **timing}


def config_map(name: str, namespace_: str, data: Mapping[str, str]) -> Manifest:
    """Return a ConfigMap of text files."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta(name, namespace_), "data": dict(data)}


def service_account(name: str, namespace_: str) -> Manifest:
    """Return a ServiceAccount whose token no pod gets unless the pod itself asks."""
    head = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta(name, namespace_)}
    return {**head, "automountServiceAccountToken": False}


def cluster_role(
    name: str, account: str, namespace_: str, rules: Sequence[Mapping[str, Any]]
) -> list[Manifest]:
    """Return a ClusterRole with `rules` and its binding to the ServiceAccount `account` in `namespace_`."""
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": meta(name),
            "rules": [dict(rule) for rule in rules],
        },
        cluster_role_binding(name, name, account, namespace_),
    ]


def cluster_role_binding(name: str, role: str, account: str, namespace_: str) -> Manifest:
    """Return a binding of an existing ClusterRole to a ServiceAccount."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": meta(name),
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": namespace_}],
    }


def role(
    name: str, namespace_: str, account: tuple[str, str], rules: Sequence[Mapping[str, Any]]
) -> list[Manifest]:
    """Return a Role in `namespace_`, bound to the ServiceAccount `account`, a (namespace, name) pair."""
    return [
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": meta(name, namespace_),
            "rules": [dict(rule) for rule in rules],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": meta(name, namespace_),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
            "subjects": [{"kind": "ServiceAccount", "name": account[1], "namespace": account[0]}],
        },
    ]


def service(
    name: str, namespace_: str, port: int, target: int | str, *, selector: Mapping[str, str]
) -> Manifest:
    """Return a ClusterIP service with one TCP port."""
    ports = [{"name": "main", "port": port, "targetPort": target, "protocol": "TCP"}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(name, namespace_),
        "spec": {"selector": dict(selector), "ports": ports},
    }
