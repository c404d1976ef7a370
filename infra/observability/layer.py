"""What makes the cluster's state visible to the autoscaler, the recorder and people."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra import policy
from infra.manifests import OBSERVABILITY_NAMESPACE, Manifest, namespace
from infra.objects import KubernetesObject, register, within
from infra.observability.kube_state_metrics import kube_state_metrics
from infra.observability.metrics_server import metrics_server
from infra.observability.prometheus import prometheus
from infra.target import Target
from tidegate.models.slo import Slo


@dataclass(frozen=True)
class ObservabilityArgs:
    """What the observability layer needs to know.

    Args:
        target: the cluster, with its network ready.
        metrics_server_image: image reference.
        kube_state_metrics_image: image reference.
        prometheus_image: image reference.
        slo: the objectives that alerts are about.
    """

    target: Target
    metrics_server_image: str
    kube_state_metrics_image: str
    prometheus_image: str
    slo: Slo


def manifests(args: ObservabilityArgs) -> list[list[Manifest]]:
    """Return the objects of the layer: the namespace, then groups that do not need each other."""
    return [
        namespace(OBSERVABILITY_NAMESPACE),
        metrics_server(args.metrics_server_image),
        kube_state_metrics(args.kube_state_metrics_image),
        prometheus(args.prometheus_image, args.slo),
    ]


class Observability(pulumi.ComponentResource):
    """metrics-server, kube-state-metrics and Prometheus."""

    def __init__(
        self, name: str, args: ObservabilityArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tidegate:infra:Observability", name, None, opts)
        groups = manifests(args)
        policy.enforce([each for group in groups for each in group])
        first, *others = groups
        self.namespace: list[KubernetesObject] = register(first, within(self, args.target))
        self.objects = list(self.namespace)
        for group in others:
            self.objects += register(group, within(self, args.target, self.namespace))
        self.register_outputs({})
