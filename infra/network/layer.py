"""Everything that carries, filters and admits traffic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra import policy
from infra.manifests import GATEWAY_NAMESPACE, Manifest, namespace
from infra.network.controller import controller
from infra.network.edge import edge, edge_traffic
from infra.network.firewall import firewall
from infra.network.flannel import flannel
from infra.objects import KubernetesObject, register, within
from infra.scraping import scrape_rights
from infra.target import Target


@dataclass(frozen=True)
class NetworkArgs:
    """What the network layer needs to know.

    Args:
        target: the cluster.
        flannel_image: reference of flannel's image.
        firewall_image: reference of kube-router's image.
        controller_image: reference of Envoy Gateway's image.
        envoy_image: reference of Envoy's image.
        images_ready: the resource that brings the images of the edge to the nodes; the pod network does not
            wait for it.
        gateway_charts: the folder `charts` of Envoy Gateway's Go module.
        envoy_replicas: Envoy pods; two, so that a drained node does not close the edge.
    """

    target: Target
    flannel_image: str
    firewall_image: str
    controller_image: str
    envoy_image: str
    gateway_charts: Path
    images_ready: pulumi.Resource
    envoy_replicas: int = 2


def manifests(args: NetworkArgs) -> tuple[list[Manifest], list[Manifest]]:
    """Return the objects of the layer: those of the pod network, and those of the edge, which need it."""
    pod_network = [*flannel(args.flannel_image), *firewall(args.firewall_image)]
    entrance = [
        *namespace(GATEWAY_NAMESPACE),
        *edge_traffic(),
        *scrape_rights(GATEWAY_NAMESPACE),
        *controller(args.gateway_charts, args.controller_image),
        *edge(args.envoy_image, replicas=args.envoy_replicas),
    ]
    return pod_network, entrance


class Network(pulumi.ComponentResource):
    """Pod network, NetworkPolicy, and the gateway on a fixed node port."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tidegate:infra:Network", name, None, opts)
        pod_network, entrance = manifests(args)
        policy.enforce([*pod_network, *entrance])
        self.pod_network: list[KubernetesObject] = register(pod_network, within(self, args.target))
        """Nothing that runs as a pod can be expected to work before these."""
        self.edge: list[KubernetesObject] = register(
            entrance, within(self, args.target, [args.images_ready, *self.pod_network])
        )
        self.register_outputs({})
