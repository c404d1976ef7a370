"""Chaos Mesh's DNS server: answers questions of chosen pods wrongly, all others as the cluster's own does.

The daemon writes this server's address into the resolv.conf of the chosen containers, and the controller
tells the server which of their names to spoil. Nobody else asks it. The Corefile is one for upstream's image
as well, which answers no name itself either: the zone that it is given does not exist (RFC 6761).
"""

from __future__ import annotations

import hashlib
from typing import Any

from infra import traffic
from infra.faults.names import (
    CONTROLLER_LABELS,
    DNS_GRPC_PORT,
    DNS_HEALTH_PORT,
    DNS_PORT,
    DNS_SERVER,
    DNS_SERVICE,
    NAMESPACE,
)
from infra.manifests import (
    SERVICE_NAMESPACE,
    Manifest,
    config_map,
    http_probe,
    meta,
    name_label,
    resources,
    role,
    service_account,
)
from infra.observability.deployment import deployment

_UID = 10003
_CORE_FOLDER = "/etc/chaos-dns"
_SERVICE = name_label("tidegate")
"""The pods of the service, whichever component: what an experiment may choose."""

COREFILE = f"""\
.:{DNS_PORT} {{
    errors
    health
    k8s_dns_chaos invalid {{
        grpcport {DNS_GRPC_PORT}
    }}
    forward . /etc/resolv.conf
}}
"""


def dns_server(image: str) -> list[Manifest]:
    """Return the server's objects, among them the way to it from the service's pods.

    Args:
        image: image reference.
    """
    return [
        service_account(DNS_SERVER, NAMESPACE),
        # It is told names of pods and is asked by their addresses.
        *role(
            "chaos-dns-pods",
            SERVICE_NAMESPACE,
            (NAMESPACE, DNS_SERVER),
            [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
        ),
        config_map(DNS_SERVER, NAMESPACE, {"Corefile": COREFILE}),
        deployment(
            DNS_SERVER,
            NAMESPACE,
            _container(image),
            uid=_UID,
            token=True,
            volumes=[{"name": "config", "configMap": {"name": DNS_SERVER}}],
            annotations={"tidegate/config-hash": hashlib.sha256(COREFILE.encode()).hexdigest()[:16]},
        ),
        _service(),
        traffic.policy(
            DNS_SERVER,
            NAMESPACE,
            name_label(DNS_SERVER),
            ingress_rules=[
                {"from": [traffic.pods(SERVICE_NAMESPACE, _SERVICE)], "ports": _both(DNS_PORT)},
                traffic.ingress([DNS_GRPC_PORT], traffic.pods(NAMESPACE, CONTROLLER_LABELS)),
            ],
            egress_rules=[traffic.api_server(), traffic.dns()],
        ),
        traffic.policy(
            "chaos-dns",
            SERVICE_NAMESPACE,
            _SERVICE,
            egress_rules=[
                {"to": [traffic.pods(NAMESPACE, name_label(DNS_SERVER))], "ports": _both(DNS_PORT)},
            ],
        ),
    ]


def _both(port: int) -> list[dict[str, Any]]:
    return [{"protocol": protocol, "port": port} for protocol in ("UDP", "TCP")]


def _container(image: str) -> dict[str, Any]:
    alive = http_probe("/health", DNS_HEALTH_PORT, periodSeconds=15, failureThreshold=4)
    ports = [("dns", DNS_PORT, "UDP"), ("dns-tcp", DNS_PORT, "TCP"), ("grpc", DNS_GRPC_PORT, "TCP")]
    return {
        "image": image,
        "args": ["-conf", f"{_CORE_FOLDER}/Corefile"],
        "ports": [
            {"name": name, "containerPort": port, "protocol": protocol} for name, port, protocol in ports
        ],
        # It may be well and not yet take questions.
        "readinessProbe": {"tcpSocket": {"port": DNS_PORT}, "periodSeconds": 5},
        "livenessProbe": alive,
        "resources": resources(10, 48, cpu_limit_m=200, memory_limit_mi=128),
        "volumeMounts": [{"name": "config", "mountPath": _CORE_FOLDER, "readOnly": True}],
    }


def _service() -> Manifest:
    ports = [("dns", 53, "UDP", "dns"), ("dns-tcp", 53, "TCP", "dns-tcp")]
    ports.append(("grpc", DNS_GRPC_PORT, "TCP", "grpc"))
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta(DNS_SERVICE, NAMESPACE, labels=name_label(DNS_SERVER)),
        "spec": {
            "selector": name_label(DNS_SERVER),
            "ports": [
                {"name": name, "port": port, "protocol": protocol, "targetPort": target}
                for name, port, protocol, target in ports
            ],
        },
    }
