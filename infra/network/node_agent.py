"""What the two programs that configure a node's network have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.manifests import Manifest, name_label, resources

XTABLES_LOCK: dict[str, Any] = {
    "name": "xtables-lock",
    "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"},
}
"""The lock that every writer of iptables rules on a node must hold, kube-proxy included."""


def daemon_set(
    metadata: Mapping[str, Any], container: Mapping[str, Any], volumes: Sequence[Mapping[str, Any]]
) -> Manifest:
    """Return a DaemonSet on every node, tainted or not, in the node's own network.

    The container gets the two capabilities that routes and firewalls need instead of privilege. Its root file
    system stays writable: the official images choose between iptables' two back ends by links they set at
    their first start.
    """
    name: str = metadata["name"]
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": dict(metadata),
        "spec": {
            "selector": {"matchLabels": name_label(name)},
            "template": {
                "metadata": {"labels": name_label(name)},
                "spec": {
                    "hostNetwork": True,
                    "priorityClassName": "system-node-critical",
                    "serviceAccountName": name,
                    "automountServiceAccountToken": True,
                    "tolerations": [{"operator": "Exists"}],
                    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                    "containers": [
                        {
                            **container,
                            "imagePullPolicy": "IfNotPresent",
                            "resources": resources(10, 32, cpu_limit_m=500, memory_limit_mi=128),
                            "securityContext": {
                                "allowPrivilegeEscalation": False,
                                "capabilities": {"drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"]},
                            },
                        }
                    ],
                    "volumes": [dict(volume) for volume in volumes],
                },
            },
        },
    }
