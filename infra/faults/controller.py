"""Chaos Mesh's controller: sees experiments of one namespace and tells the daemons what to do.

No admission webhook is registered. Its defaults are written out in every experiment, its checks are done by
the schemas and by `tidegate chaos`, and without it no broken certificate can stop the API server from taking
objects. The controller still wants a certificate for the port on which nobody calls it.
"""

from __future__ import annotations

from typing import Any

import pulumi

from infra import traffic
from infra.faults.names import (
    CONTROLLER,
    CONTROLLER_LABELS,
    DAEMON,
    DNS_GRPC_PORT,
    DNS_SERVER,
    DNS_SERVICE,
    GRPC_PORT,
    METRICS_PORT,
    NAMESPACE,
    WEBHOOK_PORT,
)
from infra.manifests import (
    SERVICE_NAMESPACE,
    Manifest,
    cluster_role,
    http_probe,
    meta,
    name_label,
    resources,
    role,
    service_account,
)
from infra.observability.deployment import deployment

PAUSE_IMAGE = "registry.k8s.io/pause:3.10.2"
"""What a failed pod's containers run; every node has it, for it holds the pods' own namespaces."""

_UID = 10002
KINDS = (
    *("podchaos", "stresschaos", "networkchaos", "timechaos", "dnschaos", "iochaos", "httpchaos"),
    *("podnetworkchaos", "podiochaos", "podhttpchaos"),
    *("schedules", "workflows", "workflownodes", "statuschecks"),
)
"""What experiments are made of. The other kinds exist and may only be looked at."""
_OTHERS = (
    *("awschaos", "azurechaos", "blockchaos", "gcpchaos", "jvmchaos", "kernelchaos"),
    *("physicalmachinechaos", "physicalmachines"),
)
_LOOK = ["get", "list", "watch"]
_ALL = [*_LOOK, "create", "update", "patch", "delete"]


def controller(image: str, certificate: pulumi.Input[str], key: pulumi.Input[str]) -> list[Manifest]:
    """Return the controller's objects.

    Args:
        image: image reference.
        certificate: PEM text of the unused webhook port's certificate.
        key: its key.
    """
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta("chaos-webhook", NAMESPACE),
        "type": "kubernetes.io/tls",
        "stringData": {"tls.crt": certificate, "tls.key": key},
    }
    return [
        service_account(CONTROLLER, NAMESPACE),
        *_rights(),
        secret,
        deployment(CONTROLLER, NAMESPACE, _container(image), uid=_UID, token=True, volumes=_volumes()),
        traffic.policy(
            CONTROLLER,
            NAMESPACE,
            CONTROLLER_LABELS,
            egress_rules=[
                traffic.api_server(),
                traffic.dns(),
                traffic.egress([GRPC_PORT], traffic.pods(NAMESPACE, name_label(DAEMON))),
                traffic.egress([DNS_GRPC_PORT], traffic.pods(NAMESPACE, name_label(DNS_SERVER))),
                traffic.egress(
                    [8000], traffic.pods(SERVICE_NAMESPACE, {"app.kubernetes.io/component": "web"})
                ),
            ],
        ),
    ]


def _rights() -> list[Manifest]:
    account = (NAMESPACE, CONTROLLER)
    target = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": _ALL},
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["events"], "verbs": [*_LOOK, "create", "patch"]},
        {"apiGroups": ["chaos-mesh.org"], "resources": list(KINDS), "verbs": _ALL},
        {
            "apiGroups": ["chaos-mesh.org"],
            "resources": [f"{kind}/{part}" for kind in KINDS for part in ("status", "finalizers")],
            "verbs": ["get", "update", "patch"],
        },
        {"apiGroups": ["chaos-mesh.org"], "resources": list(_OTHERS), "verbs": _LOOK},
    ]
    own = [
        {"apiGroups": [""], "resources": ["services"], "verbs": _LOOK},
        # Those of the DNS server: each of them is told what names to spoil.
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": _LOOK},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "verbs": ["get", "create", "update", "patch"],
        },
        {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
    ]
    everywhere = [
        # Of no namespace, and the controller does not start without seeing that there is none.
        {"apiGroups": ["chaos-mesh.org"], "resources": ["remoteclusters"], "verbs": _LOOK},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": _LOOK},
        {
            "apiGroups": [""],
            "resources": ["persistentvolumes", "persistentvolumeclaims"],
            "verbs": _LOOK,
        },
    ]
    return [
        *role("chaos-target", SERVICE_NAMESPACE, account, target),
        *role("chaos-own", NAMESPACE, account, own),
        *cluster_role("tidegate-chaos-nodes", CONTROLLER, NAMESPACE, everywhere),
    ]


def _container(image: str) -> dict[str, Any]:
    probe = {"tcpSocket": {"port": WEBHOOK_PORT}, "periodSeconds": 10, "failureThreshold": 6}
    settings = {
        "CLUSTER_SCOPED": "false",
        "TARGET_NAMESPACE": SERVICE_NAMESPACE,
        "TEMPLATE_NAMESPACE": NAMESPACE,
        "ENABLED_CONTROLLERS": "*",
        "ENABLED_WEBHOOKS": "none",
        "SECURITY_MODE": "false",
        "CHAOSD_SECURITY_MODE": "false",
        "ENABLE_LEADER_ELECTION": "false",
        "ALLOW_HOST_NETWORK_TESTING": "false",
        "ENABLE_FILTER_NAMESPACE": "false",
        "CHAOS_DAEMON_SERVICE_PORT": str(GRPC_PORT),
        "CHAOS_DNS_SERVICE_NAME": DNS_SERVICE,
        "CHAOS_DNS_SERVICE_PORT": str(DNS_GRPC_PORT),
        "POD_FAILURE_PAUSE_IMAGE": PAUSE_IMAGE,
        "WEBHOOK_PORT": str(WEBHOOK_PORT),
        "METRICS_PORT": str(METRICS_PORT),
        "CHAOS_MESH_CA_CERT": "/etc/chaos-daemon/ca.crt",
        "CHAOS_DAEMON_CLIENT_CERT": "/etc/chaos-daemon/tls.crt",
        "CHAOS_DAEMON_CLIENT_KEY": "/etc/chaos-daemon/tls.key",
        "TZ": "UTC",
    }
    field = {"fieldRef": {"fieldPath": "metadata.namespace"}}
    return {
        "image": image,
        "command": ["/usr/local/bin/chaos-controller-manager"],
        "env": [
            {"name": "NAMESPACE", "valueFrom": field},
            *({"name": name, "value": value} for name, value in settings.items()),
        ],
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"}],
        "readinessProbe": http_probe("/metrics", METRICS_PORT, periodSeconds=5),
        "livenessProbe": probe,
        "resources": resources(25, 96, cpu_limit_m=500, memory_limit_mi=384),
        "volumeMounts": [
            {"name": "webhook", "mountPath": "/etc/webhook/certs", "readOnly": True},
            {"name": "client", "mountPath": "/etc/chaos-daemon", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a path in the pod
        ],
    }


def _volumes() -> list[dict[str, Any]]:
    return [
        {"name": "webhook", "secret": {"secretName": "chaos-webhook", "defaultMode": 0o440}},
        {"name": "client", "secret": {"secretName": "chaos-daemon-client", "defaultMode": 0o440}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
    ]


def into_service() -> list[Manifest]:
    """Return the NetworkPolicies in the service's namespace that status checks and workflow tasks need."""
    workflow = {"matchExpressions": [{"key": "chaos-mesh.org/workflow", "operator": "Exists"}]}
    web = {"app.kubernetes.io/name": "tidegate", "app.kubernetes.io/component": "web"}
    base = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy"}
    return [
        traffic.policy(
            "chaos-checks",
            SERVICE_NAMESPACE,
            web,
            ingress_rules=[
                traffic.ingress([8000], traffic.pods(NAMESPACE, CONTROLLER_LABELS), {"podSelector": workflow})
            ],
        ),
        {
            **base,
            "metadata": meta("chaos-tasks", SERVICE_NAMESPACE),
            "spec": {
                "podSelector": workflow,
                "policyTypes": ["Ingress", "Egress"],
                "egress": [traffic.dns(), traffic.egress([8000], traffic.pods(SERVICE_NAMESPACE, web))],
            },
        },
    ]
