"""The upstream VerticalPodAutoscaler, for the service's namespace and no other.

The recommender alone publishes. The updater, which evicts pods or resizes them in place, and the admission
controller, which sizes new ones, run only where a policy applies what is recommended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi

from infra import definitions, traffic
from infra.certificate import ca_bundle, service_names
from infra.manifests import (
    SERVICE_NAMESPACE,
    Manifest,
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
from infra.observability.metrics_server import RESOLUTION_S

NAMESPACE = "vpa"
RECOMMENDER = "vpa-recommender"
UPDATER = "vpa-updater"
ADMISSION = "vpa-admission-controller"
"""Also the name of the Lease by which the updater knows that new pods would be sized."""

NAMES = service_names(ADMISSION, namespace=NAMESPACE)

_WEBHOOK_PORT = 8000
_WEBHOOK_TIMEOUT_S = 2
_HEALTH_PORTS = {RECOMMENDER: 8942, UPDATER: 8943, ADMISSION: 8944}
_SECRET = "vpa-server"  # noqa: S105 - the object's name
_READ = ["get", "list", "watch"]
_ONE_NAMESPACE = f"--vpa-object-namespace={SERVICE_NAMESPACE}"


def custom_resources(file: Path) -> list[Manifest]:
    """Return the definitions of VerticalPodAutoscalers and their checkpoints.

    Args:
        file: `deploy/vpa-v1-crd-gen.yaml` of its Go module.
    """
    return definitions.from_files(file)


def recommender(image: str) -> list[Manifest]:
    """Return the namespace and what publishes recommendations."""
    args = [
        _ONE_NAMESPACE,
        # A look at every sample that metrics-server takes, not at one in four: a load test lasts minutes.
        f"--recommender-interval={RESOLUTION_S}s",
        "--memory-saver=true",
        # Its own floor of 250 MiB is above what a pod of the service uses; the policy's bounds hold instead.
        "--pod-recommendation-min-memory-mb=16",
        "--pod-recommendation-min-cpu-millicores=5",
    ]
    rules = [
        *_common_rules(),
        {
            "apiGroups": ["autoscaling.k8s.io"],
            "resources": ["verticalpodautoscalers/status"],
            "verbs": ["get", "patch"],
        },
        {
            "apiGroups": ["autoscaling.k8s.io"],
            "resources": ["verticalpodautoscalercheckpoints"],
            "verbs": [*_READ, "create", "patch", "delete"],
        },
        {"apiGroups": ["metrics.k8s.io"], "resources": ["pods"], "verbs": ["get", "list"]},
        # Pods killed for lack of memory are seen in events as well as in their status.
        {"apiGroups": [""], "resources": ["events"], "verbs": _READ},
    ]
    return [
        *namespace(NAMESPACE),
        *role(RECOMMENDER, SERVICE_NAMESPACE, (NAMESPACE, RECOMMENDER), rules),
        *_part(RECOMMENDER, image, "/recommender", args),
    ]


def acting(
    updater_image: str,
    admission_image: str,
    authority: pulumi.Input[str],
    certificate: pulumi.Input[str],
    key: pulumi.Input[str],
) -> list[Manifest]:
    """Return what applies recommendations: the updater, and the admission controller with its webhook.

    Args:
        updater_image: reference of the updater's image.
        admission_image: reference of the admission controller's image.
        authority: certificate of the authority that signed the webhook's, PEM text.
        certificate: for `NAMES`, PEM text.
        key: secret; its private key, PEM text.
    """
    return [*_updater(updater_image), *_admission(admission_image, authority, certificate, key)]


def _updater(image: str) -> list[Manifest]:
    rules = [
        *_common_rules(),
        {"apiGroups": [""], "resources": ["pods/eviction"], "verbs": ["create"]},
        {"apiGroups": [""], "resources": ["pods/resize", "pods"], "verbs": ["patch"]},
        {"apiGroups": ["", "events.k8s.io"], "resources": ["events"], "verbs": ["create", "patch", "update"]},
    ]
    lease = {
        "apiGroups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resourceNames": [ADMISSION],
        "verbs": ["get"],
    }
    return [
        *role(UPDATER, SERVICE_NAMESPACE, (NAMESPACE, UPDATER), rules),
        *role(UPDATER, NAMESPACE, (NAMESPACE, UPDATER), [lease]),
        *_part(UPDATER, image, "/updater", [_ONE_NAMESPACE]),
    ]


def _admission(
    image: str, authority: pulumi.Input[str], certificate: pulumi.Input[str], key: pulumi.Input[str]
) -> list[Manifest]:
    leases = [
        {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
        {
            "apiGroups": ["coordination.k8s.io"],
            "resources": ["leases"],
            "resourceNames": [ADMISSION],
            "verbs": ["get", "update"],
        },
    ]
    args = [
        _ONE_NAMESPACE,
        # The webhook's configuration is the program's, which also knows the authority.
        "--register-webhook=false",
        "--client-ca-file=/certs/ca.crt",
        "--tls-cert-file=/certs/tls.crt",
        "--tls-private-key=/certs/tls.key",
        f"--port={_WEBHOOK_PORT}",
    ]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta(_SECRET, NAMESPACE),
        "type": "kubernetes.io/tls",
        "stringData": {"ca.crt": authority, "tls.crt": certificate, "tls.key": key},
    }
    return [
        secret,
        *role(ADMISSION, SERVICE_NAMESPACE, (NAMESPACE, ADMISSION), _common_rules()),
        *role(ADMISSION, NAMESPACE, (NAMESPACE, ADMISSION), leases),
        *_part(ADMISSION, image, "/admission-controller", args, serves=True),
        service(ADMISSION, NAMESPACE, 443, "webhook", selector=name_label(ADMISSION)),
        _webhook(authority),
    ]


def _webhook(authority: pulumi.Input[str]) -> Manifest:
    """Only pods of the service are asked about, and they start unsized when nobody answers."""
    own = {"matchLabels": {"kubernetes.io/metadata.name": SERVICE_NAMESPACE}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": meta("tidegate-vpa"),
        "webhooks": [
            {
                "name": "vpa.k8s.io",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Ignore",
                # Every pod of a rise waits for it; it answers in milliseconds or not at all.
                "timeoutSeconds": _WEBHOOK_TIMEOUT_S,
                "namespaceSelector": own,
                "objectSelector": {"matchLabels": name_label("tidegate")},
                "rules": [
                    {
                        "apiGroups": [""],
                        "apiVersions": ["v1"],
                        "resources": ["pods"],
                        "operations": ["CREATE"],
                    }
                ],
                "clientConfig": {
                    "service": {"name": ADMISSION, "namespace": NAMESPACE, "port": 443, "path": "/"},
                    "caBundle": ca_bundle(authority),
                },
            }
        ],
    }


def _common_rules() -> list[Manifest]:
    """Which pods a VerticalPodAutoscaler means: all kinds that can own one are watched, present or not."""
    read = {
        "": ["limitranges", "pods", "replicationcontrollers"],
        "apps": ["daemonsets", "deployments", "replicasets", "statefulsets"],
        "autoscaling.k8s.io": ["verticalpodautoscalers"],
        "batch": ["cronjobs", "jobs"],
    }
    scale = {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["get"]}
    return [
        *({"apiGroups": [group], "resources": kinds, "verbs": _READ} for group, kinds in read.items()),
        scale,
    ]


def _part(name: str, image: str, program: str, args: list[str], *, serves: bool = False) -> list[Manifest]:
    """Return account, traffic and Deployment of one of the three."""
    port = _HEALTH_PORTS[name]
    container: dict[str, Any] = {
        "image": image,
        "command": [program],
        "args": [*args, f"--address=:{port}", "--v=2"],
        # Where the Lease of the admission controller is; kube-system without it.
        "env": [{"name": "NAMESPACE", "value": NAMESPACE}],
        "ports": [{"name": "http", "containerPort": port, "protocol": "TCP"}],
        "livenessProbe": http_probe("/health-check", "http", periodSeconds=15, timeoutSeconds=5),
        "readinessProbe": http_probe("/health-check", "http", periodSeconds=5, timeoutSeconds=5),
        "resources": resources(25, 64, cpu_limit_m=250, memory_limit_mi=256),
    }
    volumes: list[dict[str, Any]] = []
    if serves:
        container["ports"].append({"name": "webhook", "containerPort": _WEBHOOK_PORT, "protocol": "TCP"})
        container["volumeMounts"] = [{"name": _SECRET, "mountPath": "/certs", "readOnly": True}]
        volumes = [{"name": _SECRET, "secret": {"secretName": _SECRET, "defaultMode": 0o440}}]
    asked = [traffic.ingress([_WEBHOOK_PORT], traffic.outside_pods())] if serves else []
    return [
        service_account(name, NAMESPACE),
        traffic.policy(
            name,
            NAMESPACE,
            name_label(name),
            ingress_rules=asked,
            egress_rules=[traffic.api_server()],
        ),
        deployment(name, NAMESPACE, container, uid=65534, token=True, volumes=volumes),
    ]
