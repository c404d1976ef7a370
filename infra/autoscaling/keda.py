"""KEDA: the operator that turns ScaledObjects into HPAs and zero into one, and its metrics API server.

Without its admission webhooks: they would stop objects that the policy has already judged, and are one more
thing that must answer before anything can be changed. Its certificates are drawn by the program
(`Certificates`), so it needs no right to write secrets or APIServices. It sees the service's namespace and no
other.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pulumi

from infra import definitions, traffic
from infra.certificate import ca_bundle, service_names
from infra.manifests import (
    OBSERVABILITY_NAMESPACE,
    SERVICE_NAMESPACE,
    Manifest,
    cluster_role,
    cluster_role_binding,
    http_probe,
    meta,
    name_label,
    namespace,
    resources,
    role,
    service,
    service_account,
)
from infra.observability.deployment import deployment
from infra.observability.prometheus import PORT as PROMETHEUS_PORT
from infra.scraping import PROMETHEUS

NAMESPACE = "keda"
OPERATOR = "keda-operator"
METRICS = "keda-metrics-apiserver"

HOLLOWED = frozenset({"scaledjobs.keda.sh"})
"""The operator must find the kind. Its schema is that of a whole pod, 670 kB, and nothing here is of it."""

NAMES = service_names(OPERATOR, METRICS, namespace=NAMESPACE)
"""What the server's certificate must be good for: the API server and the metrics server each use one."""

_API_VERSION = "v1beta1"
_API_GROUP = "external.metrics.k8s.io"
_GRPC_PORT = 9666
_PROBE_PORT = 8081
_HTTPS_PORT = 6443
_SERVER_SECRET, _CLIENT_SECRET = "keda-server", "keda-client"
_READ = ["get", "list", "watch"]

MOST_TRIGGERS = 2
"""Triggers of the ScaledObject that has most of them: depth and age."""


def custom_resources(files: Path) -> list[Manifest]:
    """Return the definitions of its custom resources.

    Args:
        files: the folder `config/crd/bases` of KEDA's Go module.
    """
    return definitions.from_files(files, hollowed=HOLLOWED)


def keda(
    operator_image: str,
    metrics_image: str,
    authority: pulumi.Input[str],
    server: tuple[pulumi.Input[str], pulumi.Input[str]],
    client: tuple[pulumi.Input[str], pulumi.Input[str]],
) -> list[Manifest]:
    """Return KEDA's objects but for its definitions, in a namespace of its own.

    Args:
        operator_image: reference of the operator's image.
        metrics_image: reference of the metrics API server's image.
        authority: certificate of the authority that signed both others, PEM text.
        server: certificate for `NAMES` and its private key, PEM texts; the key is secret.
        client: the same of the metrics API server as the operator's client.
    """
    return [
        *namespace(NAMESPACE),
        _tls_secret(_SERVER_SECRET, authority, server),
        _tls_secret(_CLIENT_SECRET, authority, client),
        *_operator(operator_image),
        *_metrics_server(metrics_image),
        *_asked_by_hpa(),
        _api_service(authority),
        _to_prometheus(),
    ]


def _tls_secret(
    name: str, authority: pulumi.Input[str], pair: tuple[pulumi.Input[str], pulumi.Input[str]]
) -> Manifest:
    head = {"apiVersion": "v1", "kind": "Secret", "metadata": meta(name, NAMESPACE)}
    data = {"ca.crt": authority, "tls.crt": pair[0], "tls.key": pair[1]}
    return {**head, "type": "kubernetes.io/tls", "stringData": data}


def _mounted(secret: str) -> dict[str, Any]:
    return {"name": secret, "secret": {"secretName": secret, "defaultMode": 0o440}}


def _environment() -> list[dict[str, str]]:
    values = {
        "POD_NAMESPACE": NAMESPACE,
        "WATCH_NAMESPACE": SERVICE_NAMESPACE,
        # It would read every secret that a scaled pod's environment names; no trigger of ours needs any.
        "KEDA_RESTRICT_SECRET_ACCESS": "true",
    }
    return [{"name": name, "value": value} for name, value in values.items()]


def _operator(image: str) -> list[Manifest]:
    container = {
        "image": image,
        "command": ["/keda"],
        "args": [
            "--zap-log-level=info",
            "--zap-encoder=json",
            "--zap-time-encoding=rfc3339",
            "--enable-cert-rotation=false",
            "--cert-dir=/certs",
            f"--health-probe-bind-address=:{_PROBE_PORT}",
            f"--metrics-service-bind-address=:{_GRPC_PORT}",
        ],
        "env": _environment(),
        "ports": [
            {"name": "metricsservice", "containerPort": _GRPC_PORT, "protocol": "TCP"},
            {"name": "probes", "containerPort": _PROBE_PORT, "protocol": "TCP"},
        ],
        "livenessProbe": http_probe("/healthz", "probes", periodSeconds=15, timeoutSeconds=5),
        "readinessProbe": http_probe("/readyz", "probes", periodSeconds=5, timeoutSeconds=5),
        "resources": resources(50, 96, cpu_limit_m=500, memory_limit_mi=384),
        "volumeMounts": [{"name": _SERVER_SECRET, "mountPath": "/certs", "readOnly": True}],
    }
    made = deployment(
        OPERATOR, NAMESPACE, container, uid=65534, token=True, volumes=[_mounted(_SERVER_SECRET)]
    )
    # There is no election: two operators at once would both write the workers' replicas.
    made["spec"]["strategy"] = {"type": "Recreate"}
    metrics = traffic.pods(NAMESPACE, name_label(METRICS))
    prometheus = traffic.pods(OBSERVABILITY_NAMESPACE, name_label(PROMETHEUS))
    return [
        service_account(OPERATOR, NAMESPACE),
        *cluster_role("tidegate-keda-operator", OPERATOR, NAMESPACE, _cluster_rules()),
        *role(OPERATOR, NAMESPACE, (NAMESPACE, OPERATOR), _own_rules()),
        *role(OPERATOR, SERVICE_NAMESPACE, (NAMESPACE, OPERATOR), _service_rules()),
        traffic.policy(
            OPERATOR,
            NAMESPACE,
            name_label(OPERATOR),
            ingress_rules=[traffic.ingress([_GRPC_PORT], metrics)],
            egress_rules=[
                traffic.api_server(),
                traffic.dns(),
                traffic.egress([PROMETHEUS_PORT], prometheus),
            ],
        ),
        made,
        service(OPERATOR, NAMESPACE, _GRPC_PORT, "metricsservice", selector=name_label(OPERATOR)),
    ]


def _cluster_rules() -> list[Manifest]:
    """The two kinds that have no namespace: it watches them whether or not there are any."""
    return [
        {"apiGroups": ["keda.sh"], "resources": ["clustertriggerauthentications"], "verbs": _READ},
        {"apiGroups": ["eventing.keda.sh"], "resources": ["clustercloudeventsources"], "verbs": _READ},
    ]


def _own_rules() -> list[Manifest]:
    """Secrets of its own namespace, which it does not start without being able to list."""
    return [{"apiGroups": [""], "resources": ["secrets"], "verbs": _READ}]


def _service_rules() -> list[Manifest]:
    """What it does where the service is: watch ScaledObjects, own HPAs, write a Deployment's scale."""
    unused = {
        "keda.sh": ["scaledjobs", "triggerauthentications"],
        "eventing.keda.sh": ["cloudeventsources"],
    }
    return [
        {"apiGroups": ["keda.sh"], "resources": ["scaledobjects"], "verbs": [*_READ, "update", "patch"]},
        {
            "apiGroups": ["keda.sh"],
            "resources": ["scaledobjects/status", "scaledobjects/finalizers"],
            "verbs": ["get", "update", "patch"],
        },
        *({"apiGroups": [group], "resources": kinds, "verbs": _READ} for group, kinds in unused.items()),
        {
            "apiGroups": ["autoscaling"],
            "resources": ["horizontalpodautoscalers"],
            "verbs": [*_READ, "create", "update", "patch", "delete"],
        },
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": _READ},
        {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get", "update", "patch"]},
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch"]},
    ]


def _metrics_server(image: str) -> list[Manifest]:
    reader = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": meta("keda-auth-reader", "kube-system"),
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "Role",
            "name": "extension-apiserver-authentication-reader",
        },
        "subjects": [{"kind": "ServiceAccount", "name": METRICS, "namespace": NAMESPACE}],
    }
    container = {
        "image": image,
        "command": ["/keda-adapter"],
        "args": [
            f"--secure-port={_HTTPS_PORT}",
            "--zap-log-level=info",
            "--zap-encoder=json",
            "--tls-cert-file=/serving/tls.crt",
            "--tls-private-key-file=/serving/tls.key",
            # What it shows to the operator.
            "--cert-dir=/certs",
        ],
        "env": _environment(),
        "ports": [{"name": "https", "containerPort": _HTTPS_PORT, "protocol": "TCP"}],
        "livenessProbe": http_probe("/healthz", "https", scheme="HTTPS", periodSeconds=15, timeoutSeconds=5),
        "readinessProbe": http_probe("/readyz", "https", scheme="HTTPS", periodSeconds=5, timeoutSeconds=5),
        "resources": resources(50, 64, cpu_limit_m=500, memory_limit_mi=256),
        "volumeMounts": [
            {"name": _SERVER_SECRET, "mountPath": "/serving", "readOnly": True},
            {"name": _CLIENT_SECRET, "mountPath": "/certs", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a path in the pod
        ],
    }
    volumes = [
        _mounted(_SERVER_SECRET),
        _mounted(_CLIENT_SECRET),
        {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}},
    ]
    operator = traffic.pods(NAMESPACE, name_label(OPERATOR))
    return [
        service_account(METRICS, NAMESPACE),
        cluster_role_binding("keda:system:auth-delegator", "system:auth-delegator", METRICS, NAMESPACE),
        reader,
        traffic.policy(
            METRICS,
            NAMESPACE,
            name_label(METRICS),
            # The API server asks for the autoscaler, from a node.
            ingress_rules=[traffic.ingress([_HTTPS_PORT], traffic.outside_pods())],
            egress_rules=[
                traffic.api_server(),
                traffic.dns(),
                traffic.egress([_GRPC_PORT], operator),
            ],
        ),
        deployment(METRICS, NAMESPACE, container, uid=65534, token=True, volumes=volumes),
        service(METRICS, NAMESPACE, 443, "https", selector=name_label(METRICS)),
    ]


def _asked_by_hpa() -> Sequence[Manifest]:
    """Let the autoscaler read the metrics of the service's namespace; KEDA names them by trigger."""
    rule = {
        "apiGroups": [_API_GROUP],
        "resources": [f"s{index}-prometheus" for index in range(MOST_TRIGGERS)],
        "verbs": ["get", "list"],
    }
    return role("keda-metrics", SERVICE_NAMESPACE, ("kube-system", "horizontal-pod-autoscaler"), [rule])


def _api_service(authority: pulumi.Input[str]) -> Manifest:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": meta(f"{_API_VERSION}.{_API_GROUP}"),
        "spec": {
            "group": _API_GROUP,
            "version": _API_VERSION,
            "service": {"name": METRICS, "namespace": NAMESPACE, "port": 443},
            "caBundle": ca_bundle(authority),
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        },
    }


def _to_prometheus() -> Manifest:
    """Let the operator in to Prometheus, beside whom its own policy lets in."""
    operator = traffic.pods(NAMESPACE, name_label(OPERATOR))
    made = traffic.policy(
        "prometheus-from-keda",
        OBSERVABILITY_NAMESPACE,
        name_label(PROMETHEUS),
        ingress_rules=[traffic.ingress([PROMETHEUS_PORT], operator)],
    )
    made["spec"]["policyTypes"] = ["Ingress"]
    return made
