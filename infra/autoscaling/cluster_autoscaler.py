"""The upstream cluster-autoscaler, whose cloud is `tidegate.nodes`."""

from __future__ import annotations

import pulumi
import yaml

from infra import traffic
from infra.manifests import (
    Manifest,
    cluster_role,
    http_probe,
    meta,
    name_label,
    namespace,
    resources,
    role,
    service_account,
)
from infra.observability.deployment import deployment
from tidegate.models.node_group import GROUP_LABEL

NAME = "cluster-autoscaler"
NAMESPACE = "cluster-autoscaler"

_PORT = 8085
_LOWEST_PORT, _HIGHEST_PORT = 1024, 65_535
"""The node server takes a free one, which is known only after the rules are written."""

FLAGS = (
    "--cloud-provider=externalgrpc",
    "--cloud-config=/client/cloud-config",
    f"--namespace={NAMESPACE}",
    "--enforce-node-group-min-size=true",
    # Every pod of the service has an emptyDir for its temporary files: by default no node could ever go.
    "--skip-nodes-with-local-storage=false",
    # A node that could not go a moment ago is looked at again soon; the default, 5 min, delayed a removal so.
    "--unremovable-node-recheck-timeout=30s",
    "--scale-down-unneeded-time=30s",
    "--scale-down-delay-after-add=30s",
    "--max-node-provision-time=5m",
    # One failed join must not keep a demonstration waiting for 5 min; repeated ones still double it.
    "--initial-node-group-backoff-duration=1m",
    "--max-node-group-backoff-duration=10m",
)
"""Times are those of a machine whose nodes come within half a minute; a cloud's are the defaults."""

_READ = ["get", "list", "watch"]


def cluster_autoscaler(
    image: str,
    address: pulumi.Input[str],
    authority: pulumi.Input[str],
    certificate: pulumi.Input[str],
    key: pulumi.Input[str],
) -> list[Manifest]:
    """Return the cluster-autoscaler's objects, in a namespace of their own.

    Args:
        image: its reference.
        address: IP address and port of the node server.
        authority: certificate of the authority that signed the server's, PEM text.
        certificate: the client's own, PEM text.
        key: secret; the client's private key, PEM text.
    """
    files = {"key": "/client/tls.key", "cert": "/client/tls.crt", "cacert": "/client/ca.crt"}
    # Half a minute: a docker that is making nodes on the same cores answers late.
    config = yaml.safe_dump({**files, "grpc_timeout": "30s"}, sort_keys=False)
    text = pulumi.Output.concat('address: "', address, '"\n', config)
    secret: Manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta(f"{NAME}-client", NAMESPACE),
        "type": "Opaque",
        "stringData": {"ca.crt": authority, "tls.crt": certificate, "tls.key": key, "cloud-config": text},
    }
    container = {
        "image": image,
        "command": ["/cluster-autoscaler"],
        "args": [*FLAGS, f"--address=:{_PORT}"],
        "ports": [{"name": "http", "containerPort": _PORT, "protocol": "TCP"}],
        # Fails when no round succeeded for 10 min (main.go, max-failing-time).
        "livenessProbe": http_probe("/health-check", "http", periodSeconds=30, timeoutSeconds=5),
        "readinessProbe": http_probe("/health-check", "http", periodSeconds=5, timeoutSeconds=5),
        "resources": resources(50, 96, cpu_limit_m=500, memory_limit_mi=384),
        "volumeMounts": [{"name": "client", "mountPath": "/client", "readOnly": True}],
    }
    volumes = [{"name": "client", "secret": {"secretName": f"{NAME}-client", "defaultMode": 0o440}}]
    return [
        *namespace(NAMESPACE),
        service_account(NAME, NAMESPACE),
        *cluster_role("tidegate-cluster-autoscaler", NAME, NAMESPACE, _cluster_rules()),
        *role(NAME, NAMESPACE, (NAMESPACE, NAME), _own_rules()),
        secret,
        _traffic(),
        _beside_groups(deployment(NAME, NAMESPACE, container, uid=65534, token=True, volumes=volumes)),
    ]


def _beside_groups(made: Manifest) -> Manifest:
    """Keep its pod off the nodes that it may remove."""
    term = {"matchExpressions": [{"key": GROUP_LABEL, "operator": "DoesNotExist"}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    made["spec"]["template"]["spec"]["affinity"] = {"nodeAffinity": required}
    return made


def _cluster_rules() -> list[Manifest]:
    """What it plans with, and the three things it does: taint a node, evict a pod, tell about it."""
    read: dict[str, list[str]] = {
        "": [
            "namespaces",
            "nodes",
            "persistentvolumeclaims",
            "persistentvolumes",
            "pods",
            "replicationcontrollers",
            "services",
        ],
        "apps": ["daemonsets", "replicasets", "statefulsets"],
        "batch": ["jobs"],
        "policy": ["poddisruptionbudgets"],
        # The scheduler's own plugins, which it simulates with, look at these.
        "resource.k8s.io": ["deviceclasses", "resourceclaims", "resourceslices"],
        "storage.k8s.io": [
            "csidrivers",
            "csinodes",
            "csistoragecapacities",
            "storageclasses",
            "volumeattachments",
        ],
    }
    return [
        *({"apiGroups": [group], "resources": kinds, "verbs": _READ} for group, kinds in read.items()),
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["update"]},
        {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["pods/status"], "verbs": ["update"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    ]


def _own_rules() -> list[Manifest]:
    """In its own namespace: the lease of the one that leads, and the status it writes."""
    status = "cluster-autoscaler-status"
    return [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": [NAME],
            "verbs": ["get", "update"],
        },
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["create", "list", "watch"]},
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": [status],
            "verbs": ["get", "update", "delete"],
        },
    ]


def _traffic() -> Manifest:
    """Out to the API server and to the node server, which are both no pods; in from nobody."""
    beyond = {**traffic.outside_pods()}
    ports = [{"protocol": "TCP", "port": _LOWEST_PORT, "endPort": _HIGHEST_PORT}]
    server = {"to": [beyond], "ports": ports}
    return traffic.policy(NAME, NAMESPACE, name_label(NAME), egress_rules=[traffic.api_server(), server])
