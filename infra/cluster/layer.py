"""The cluster and what it needs before anything can run on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from infra.cluster.config import KindSpec, intent
from infra.cluster.kind import cni_template_path
from infra.cluster.resources import KindCluster, NodeImages


@dataclass(frozen=True)
class ClusterArgs:
    """What the machine layer needs to know.

    Args:
        name: the kind cluster's name.
        owner: the stack it belongs to, as `project/stack`.
        node_image: image reference of the nodes.
        workers: nodes beside the control plane.
        gateway_port: port on 127.0.0.1 that reaches the gateway.
        node_agents: image reference to image id in the container engine, of what runs on every node.
        images: the same for what runs on the workers; the control plane takes no ordinary pods.
        api_port: port on 127.0.0.1 of the Kubernetes API; None for any free one.
    """

    name: str
    owner: str
    node_image: str
    workers: int
    gateway_port: int
    node_agents: Mapping[str, str]
    images: Mapping[str, str]
    api_port: int | None = None


class Cluster(pulumi.ComponentResource):
    """A kind cluster with its images, and the provider through which every object of the next layers goes."""

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tidegate:infra:Cluster", name, None, opts)
        spec = KindSpec(
            name=args.name,
            node_image=args.node_image,
            workers=args.workers,
            gateway_port=args.gateway_port,
            cni_template_path=str(cni_template_path(args.name)),
            api_port=args.api_port,
        )
        child = pulumi.ResourceOptions(parent=self)
        self.kind = KindCluster(
            f"{name}-kind", cluster=args.name, config=intent(spec), owner=args.owner, opts=child
        )
        on_cluster = pulumi.ResourceOptions(parent=self, deleted_with=self.kind)
        self.node_agents = NodeImages(
            f"{name}-node-agents",
            cluster_id=self.kind.cluster_id,
            nodes=self.kind.nodes,
            images=args.node_agents,
            opts=on_cluster,
        )
        """Few and small: the pod network can start while the other images are still on their way."""
        self.images = NodeImages(
            f"{name}-images",
            cluster_id=self.kind.cluster_id,
            nodes=self.kind.workers,
            images=args.images,
            opts=on_cluster,
        )
        self.provider = k8s.Provider(
            f"{name}-kubernetes",
            kubeconfig=self.kind.kubeconfig,
            context=f"kind-{args.name}",
            # A cluster made again under the same name is another one: everything on it is made again too.
            cluster_identifier=self.kind.cluster_id,
            # When the cluster was deleted by hand, `pulumi refresh` forgets its objects instead of failing.
            delete_unreachable=True,
            opts=child,
        )
        self.kubeconfig: pulumi.Output[str] = self.kind.kubeconfig
        self.register_outputs({"kubeconfig": self.kubeconfig})
