"""The one way in: GatewayClass, Envoy's settings, and the Gateway `edge`."""

from __future__ import annotations

from infra import traffic
from infra.cluster.config import GATEWAY_NODE_PORT, POD_CIDR
from infra.manifests import (
    GATEWAY_NAMESPACE,
    OBSERVABILITY_NAMESPACE,
    Manifest,
    container_security,
    meta,
    name_label,
    resources,
)
from infra.scraping import PROMETHEUS

GATEWAY = "edge"
GATEWAY_CLASS = "tidegate"

ROUTES_LABEL = {"tidegate/edge": "allowed"}
"""Label of a namespace whose routes the gateway takes, and to whose pods Envoy may talk."""

PROXY_LABELS = {"app.kubernetes.io/component": "proxy", "app.kubernetes.io/managed-by": "envoy-gateway"}
"""Labels that the controller gives to Envoy's pods."""

CONTROLLER_LABELS = {"control-plane": "envoy-gateway"}

_LISTENER_PORT = 80
ENVOY_PORT = 10080
"""Envoy is not root: the controller moves ports below 1024 up by 10000."""

_XDS_PORTS = (18000, 18001, 18002)
METRICS_PORT = 19001
_WEB_PORTS = (8000, 8080)
"""Where the service's web pods listen: the application itself, or NGINX before it."""


def edge(envoy_image: str, *, replicas: int) -> list[Manifest]:
    """Return the Gateway and all that says how its Envoy runs."""
    return [_envoy_proxy(envoy_image, replicas), _gateway_class(), _gateway()]


def _envoy_proxy(image: str, replicas: int) -> Manifest:
    published = {
        "name": f"http-{_LISTENER_PORT}",
        "port": _LISTENER_PORT,
        "targetPort": ENVOY_PORT,
        "nodePort": GATEWAY_NODE_PORT,
        "protocol": "TCP",
    }
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": PROXY_LABELS},
    }
    kubernetes = {
        "envoyDeployment": {
            "replicas": replicas,
            "container": {
                "image": image,
                "resources": resources(50, 96, cpu_limit_m=1000, memory_limit_mi=384),
                "securityContext": container_security(),
            },
            "pod": {"topologySpreadConstraints": [spread]},
        },
        "envoyPDB": {"maxUnavailable": 1},
        "envoyService": {
            "type": "NodePort",
            # The published node port is the control plane's, where no Envoy runs: nodes must forward.
            "externalTrafficPolicy": "Cluster",
            "patch": {"type": "StrategicMerge", "value": {"spec": {"ports": [published]}}},
        },
    }
    return {
        "apiVersion": "gateway.envoyproxy.io/v1alpha1",
        "kind": "EnvoyProxy",
        "metadata": meta(GATEWAY, GATEWAY_NAMESPACE),
        "spec": {
            "provider": {"type": "Kubernetes", "kubernetes": kubernetes},
            # One thread a core of the smallest machine: more only fight over it.
            "concurrency": 2,
            "shutdown": {"drainTimeout": "20s", "minDrainDuration": "5s"},
            # Every request is recorded by the client; writing it down a second time costs the cluster CPU.
            "telemetry": {"accessLog": {"disable": True}},
        },
    }


def _gateway_class() -> Manifest:
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": meta(GATEWAY_CLASS),
        "spec": {
            "controllerName": "gateway.envoyproxy.io/gatewayclass-controller",
            "parametersRef": {
                "group": "gateway.envoyproxy.io",
                "kind": "EnvoyProxy",
                "name": GATEWAY,
                "namespace": GATEWAY_NAMESPACE,
            },
        },
    }


def _gateway() -> Manifest:
    routes = {"namespaces": {"from": "Selector", "selector": {"matchLabels": ROUTES_LABEL}}}
    listener = {"name": "http", "protocol": "HTTP", "port": _LISTENER_PORT, "allowedRoutes": routes}
    # Pulumi knows no readiness of custom resources; without this `up` would end before the edge answers.
    wait = {"pulumi.com/waitFor": "condition=Programmed"}
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "Gateway",
        "metadata": meta(GATEWAY, GATEWAY_NAMESPACE, annotations=wait),
        "spec": {"gatewayClassName": GATEWAY_CLASS, "listeners": [listener]},
    }


def edge_traffic() -> list[Manifest]:
    """Return what may be said in the gateway's namespace, which denies by default."""
    proxies = traffic.pods(GATEWAY_NAMESPACE, PROXY_LABELS)
    backends = {"namespaceSelector": {"matchLabels": ROUTES_LABEL}}
    # By address and not by label alone: what enforces this on Envoy's node learns of a new pod at its own
    # pace, and on busy cores that is after Envoy did. What a pod lets in is its own policy's to say.
    any_pod = {"ipBlock": {"cidr": POD_CIDR}}
    prometheus = traffic.pods(OBSERVABILITY_NAMESPACE, name_label(PROMETHEUS))
    return [
        traffic.policy(
            "certgen",
            GATEWAY_NAMESPACE,
            {"app": "certgen"},
            egress_rules=[traffic.api_server(), traffic.dns()],
        ),
        traffic.policy(
            "controller",
            GATEWAY_NAMESPACE,
            CONTROLLER_LABELS,
            ingress_rules=[traffic.ingress(_XDS_PORTS, proxies), traffic.ingress([METRICS_PORT], prometheus)],
            egress_rules=[traffic.api_server(), traffic.dns()],
        ),
        traffic.policy(
            "envoy",
            GATEWAY_NAMESPACE,
            PROXY_LABELS,
            ingress_rules=[traffic.ingress([ENVOY_PORT]), traffic.ingress([METRICS_PORT], prometheus)],
            egress_rules=[
                traffic.egress(_XDS_PORTS, traffic.pods(GATEWAY_NAMESPACE, CONTROLLER_LABELS)),
                {"to": [backends]},
                traffic.egress(_WEB_PORTS, any_pod),
                traffic.dns(),
            ],
        ),
    ]
