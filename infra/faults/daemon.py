"""Chaos Mesh's daemon on every worker node: enters the namespaces and cgroups of containers, as root.

Nothing else of the project is privileged. It is in a namespace of its own that only the layer makes, takes
orders over mutual TLS from the controller alone, and goes with the layer. It tolerates no taint: no pod of
the service is on the control plane, and neither is the daemon's image.
"""

from __future__ import annotations

from typing import Any

import pulumi

from infra import traffic
from infra.faults.names import CONTROLLER_LABELS, DAEMON, DAEMON_HTTP_PORT, GRPC_PORT, NAMESPACE
from infra.manifests import Manifest, http_probe, meta, name_label, resources, service_account

_SOCKET_FOLDER = "/run/containerd"


def daemon(
    image: str,
    authority: pulumi.Input[str],
    server: tuple[pulumi.Input[str], pulumi.Input[str]],
    client: tuple[pulumi.Input[str], pulumi.Input[str]],
) -> list[Manifest]:
    """Return the daemon's objects.

    Args:
        image: image reference.
        authority: PEM text of the authority that signed both certificates.
        server: certificate and key of the daemon.
        client: certificate and key of the controller, which is put where the controller reads it.
    """
    return [
        service_account(DAEMON, NAMESPACE),
        _secret(DAEMON, authority, server),
        _secret("chaos-daemon-client", authority, client),
        traffic.policy(
            DAEMON,
            NAMESPACE,
            name_label(DAEMON),
            ingress_rules=[traffic.ingress([GRPC_PORT], traffic.pods(NAMESPACE, CONTROLLER_LABELS))],
        ),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": meta(DAEMON, NAMESPACE, labels=name_label(DAEMON)),
            "spec": {
                "clusterIP": "None",
                "selector": name_label(DAEMON),
                "ports": [{"name": "grpc", "port": GRPC_PORT, "targetPort": "grpc", "protocol": "TCP"}],
            },
        },
        _daemon_set(image),
    ]


def _secret(
    name: str, authority: pulumi.Input[str], pair: tuple[pulumi.Input[str], pulumi.Input[str]]
) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta(name, NAMESPACE),
        "type": "kubernetes.io/tls",
        "stringData": {"ca.crt": authority, "tls.crt": pair[0], "tls.key": pair[1]},
    }


def _daemon_set(image: str) -> Manifest:
    container: dict[str, Any] = {
        "name": DAEMON,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": [
            "/usr/local/bin/chaos-daemon",
            *("--runtime", "containerd"),
            *("--runtime-socket-path", "/host-run/containerd.sock"),
            *("--grpc-port", str(GRPC_PORT)),
            *("--http-port", str(DAEMON_HTTP_PORT)),
            *("--ca", "/etc/chaos-daemon/ca.crt"),
            *("--cert", "/etc/chaos-daemon/tls.crt"),
            *("--key", "/etc/chaos-daemon/tls.key"),
        ],
        "env": [{"name": "TZ", "value": "UTC"}],
        "securityContext": {"privileged": True},
        "ports": [{"name": "grpc", "containerPort": GRPC_PORT, "protocol": "TCP"}],
        "readinessProbe": http_probe("/metrics", DAEMON_HTTP_PORT, periodSeconds=5),
        "livenessProbe": http_probe("/metrics", DAEMON_HTTP_PORT, periodSeconds=15, failureThreshold=4),
        "resources": resources(25, 64, cpu_limit_m=500, memory_limit_mi=256),
        "volumeMounts": [
            {"name": "runtime", "mountPath": "/host-run"},
            {"name": "sys", "mountPath": "/host-sys"},
            {"name": "modules", "mountPath": "/lib/modules", "readOnly": True},
            {"name": "certificates", "mountPath": "/etc/chaos-daemon", "readOnly": True},
        ],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": meta(DAEMON, NAMESPACE, labels=name_label(DAEMON)),
        "spec": {
            "selector": {"matchLabels": name_label(DAEMON)},
            "template": {
                "metadata": {"labels": name_label(DAEMON)},
                "spec": {
                    "hostPID": True,
                    "serviceAccountName": DAEMON,
                    "automountServiceAccountToken": False,
                    "containers": [container],
                    "volumes": [
                        {"name": "runtime", "hostPath": {"path": _SOCKET_FOLDER, "type": "Directory"}},
                        {"name": "sys", "hostPath": {"path": "/sys"}},
                        {"name": "modules", "hostPath": {"path": "/lib/modules"}},
                        {"name": "certificates", "secret": {"secretName": DAEMON}},
                    ],
                },
            },
        },
    }
