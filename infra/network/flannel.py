"""Routes between nodes: flannel with the host-gw backend.

host-gw writes one route a node and encapsulates nothing, so it needs no kernel module and adds no cost to a
request; it asks that all nodes share a link, which the nodes of a kind cluster do. Links of pods are not
flannel's: containerd makes them (see `infra.cluster.config.cni_template`).
"""

from __future__ import annotations

import json

from infra.cluster.config import POD_CIDR
from infra.manifests import Manifest, cluster_role, config_map, http_probe, meta, name_label, service_account
from infra.network.node_agent import XTABLES_LOCK, daemon_set

_HEALTH_PORT = 10299


def flannel(image: str) -> list[Manifest]:
    """Return flannel's objects, all in kube-system."""
    net = {"Network": POD_CIDR, "EnableIPv4": True, "Backend": {"Type": "host-gw"}}
    rules = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
        {"apiGroups": [""], "resources": ["nodes/status"], "verbs": ["patch"]},
    ]
    probe = http_probe("/healthz", _HEALTH_PORT, periodSeconds=10)
    container = {
        "name": "flannel",
        "image": image,
        "args": [
            "--kube-subnet-mgr",
            "--ip-masq",
            "--iface=eth0",
            # The node is ready when containerd has its pod range; nobody waits for flannel's condition.
            "--set-node-network-unavailable=false",
            f"--healthz-port={_HEALTH_PORT}",
        ],
        "env": [
            {"name": key, "valueFrom": {"fieldRef": {"fieldPath": path}}}
            for key, path in (
                ("POD_NAME", "metadata.name"),
                ("POD_NAMESPACE", "metadata.namespace"),
                ("NODE_NAME", "spec.nodeName"),
            )
        ],
        "livenessProbe": probe,
        "readinessProbe": probe,
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/kube-flannel", "readOnly": True},
            {"name": "run", "mountPath": "/run/flannel"},
            {"name": "xtables-lock", "mountPath": "/run/xtables.lock"},
        ],
    }
    volumes = [
        {"name": "config", "configMap": {"name": "flannel"}},
        {"name": "run", "hostPath": {"path": "/run/flannel", "type": "DirectoryOrCreate"}},
        XTABLES_LOCK,
    ]
    return [
        service_account("flannel", "kube-system"),
        *cluster_role("flannel", "flannel", "kube-system", rules),
        config_map("flannel", "kube-system", {"net-conf.json": json.dumps(net)}),
        daemon_set(meta("flannel", "kube-system", labels=name_label("flannel")), container, volumes),
    ]
