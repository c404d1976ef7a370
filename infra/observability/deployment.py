"""A small Deployment of one pod, as the tools of this layer are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.manifests import Manifest, container_security, meta, name_label, pod_security


def deployment(
    name: str,
    namespace: str,
    container: Mapping[str, Any],
    *,
    uid: int,
    token: bool,
    volumes: Sequence[Mapping[str, Any]] = (),
    annotations: Mapping[str, str] | None = None,
    priority: str | None = None,
) -> Manifest:
    """Return a Deployment of one restricted pod.

    Args:
        name: of the Deployment, its container and its ServiceAccount.
        namespace: where it is.
        container: image, arguments, ports, probes, resources and mounts.
        uid: user and group it runs as.
        token: whether it talks to the API server.
        volumes: the pod's volumes.
        annotations: of the pod; a hash of its configuration, so that a change of it restarts the pod.
        priority: priority class, for what the cluster itself depends on.
    """
    pod: dict[str, Any] = {
        "serviceAccountName": name,
        "automountServiceAccountToken": token,
        "securityContext": pod_security(uid),
        "containers": [
            {
                "name": name,
                "imagePullPolicy": "IfNotPresent",
                "securityContext": container_security(),
                **container,
            }
        ],
    }
    if volumes:
        pod["volumes"] = [dict(volume) for volume in volumes]
    if priority:
        pod["priorityClassName"] = priority
    head: dict[str, Any] = {"labels": name_label(name)}
    if annotations:
        head["annotations"] = dict(annotations)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(name, namespace, labels=name_label(name)),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": name_label(name)},
            "template": {"metadata": head, "spec": pod},
        },
    }
