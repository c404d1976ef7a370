"""A database of one pod with a volume of its own, reachable by the service alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra import traffic
from infra.manifests import (
    DATA_NAMESPACE,
    SERVICE_NAMESPACE,
    Manifest,
    container_security,
    meta,
    name_label,
    pod_security,
    service,
    service_account,
)

UID = 999
"""User of PostgreSQL and of Redis in their official Debian images."""

_NAMES = ("postgres", "redis")
"""All databases."""

_STORAGE_CLASS = "standard"
"""kind's own name for its default class, served by the local-path provisioner in the node image."""


_BESIDE = {
    "weight": 100,
    "podAffinityTerm": {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {
            "matchExpressions": [
                {"key": "app.kubernetes.io/name", "operator": "In", "values": list(_NAMES)},
            ]
        },
    },
}


def database(
    name: str,
    port: int,
    container: Mapping[str, Any],
    *,
    storage: str,
    data_path: str,
    volumes: Sequence[Mapping[str, Any]],
    config_hash: str,
) -> list[Manifest]:
    """Return account, NetworkPolicy, StatefulSet and Service of a database in the namespace `data`.

    Args:
        name: of all of them; the service's host name is `<name>.data.svc.cluster.local`.
        port: TCP port.
        container: image, command, environment, probes, resources, mounts.
        storage: size of the volume, as a Kubernetes quantity.
        data_path: where the volume is mounted.
        volumes: further volumes of the pod.
        config_hash: changes with the configuration, so that a change restarts the pod.
    """
    mounts = [*container.get("volumeMounts", []), {"name": "data", "mountPath": data_path}]
    pod = {
        "serviceAccountName": name,
        "automountServiceAccountToken": False,
        "securityContext": pod_security(UID),
        # Side by side: the service wants both, and so there is one node that it cannot lose instead of two.
        "affinity": {"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [_BESIDE]}},
        "terminationGracePeriodSeconds": 30,
        "containers": [
            {
                "name": name,
                "imagePullPolicy": "IfNotPresent",
                "securityContext": container_security(),
                "ports": [{"name": "main", "containerPort": port, "protocol": "TCP"}],
                **container,
                "volumeMounts": mounts,
            }
        ],
        "volumes": [dict(volume) for volume in volumes],
    }
    head = {"labels": name_label(name), "annotations": {"tidegate/config-hash": config_hash}}
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": _STORAGE_CLASS,
            "resources": {"requests": {"storage": storage}},
        },
    }
    return [
        service_account(name, DATA_NAMESPACE),
        traffic.policy(
            name,
            DATA_NAMESPACE,
            name_label(name),
            ingress_rules=[
                traffic.ingress([port], traffic.pods(SERVICE_NAMESPACE, name_label("tidegate"))),
            ],
        ),
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": meta(name, DATA_NAMESPACE, labels=name_label(name)),
            "spec": {
                "replicas": 1,
                "serviceName": name,
                "selector": {"matchLabels": name_label(name)},
                "template": {"metadata": head, "spec": pod},
                "volumeClaimTemplates": [claim],
            },
        },
        service(name, DATA_NAMESPACE, port, "main", selector=name_label(name)),
    ]
