"""What scales beside the HPA of the web pods, as far as the policy asks for it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra import policy
from infra.autoscaling.cluster_autoscaler import cluster_autoscaler
from infra.autoscaling.resources import NodeServer
from infra.objects import KubernetesObject, register, within
from infra.target import Target
from tidegate.errors import TidegateError
from tidegate.models.policy import Policy


@dataclass(frozen=True)
class AutoscalingArgs:
    """What the autoscaling layer needs to know.

    Args:
        target: the cluster, with its network ready.
        cluster: its name.
        cluster_id: its identity.
        policy: what decides scaling.
        cluster_autoscaler_image: image reference.
    """

    target: Target
    cluster: str
    cluster_id: pulumi.Input[str]
    policy: Policy
    cluster_autoscaler_image: str


class Autoscaling(pulumi.ComponentResource):
    """The cluster-autoscaler and the server it asks for nodes; nothing where there are no groups."""

    def __init__(self, name: str, args: AutoscalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tidegate:infra:Autoscaling", name, None, opts)
        self.objects: list[KubernetesObject] = []
        if args.policy.needs_cluster_autoscaler:
            # Not deleted with the cluster, like all else: it is a process of this machine.
            server = NodeServer(
                f"{name}-node-server",
                cluster=args.cluster,
                cluster_id=args.cluster_id,
                groups=[group.model_dump_json() for group in args.policy.node_groups],
                opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.target.ready)),
            )
            objects = cluster_autoscaler(
                args.cluster_autoscaler_image,
                server.address,
                server.authority,
                server.certificate,
                server.key,
            )
            policy.enforce(objects)
            self.objects = register(objects, within(self, args.target, [server]))
        self.register_outputs({})


def refuse_what_is_not_deployed(wanted: Policy) -> None:
    """Say which part of `wanted` this kit renders objects for, but does not yet deploy the controllers of.

    Raises:
        TidegateError: the policy asks for KEDA or for a VerticalPodAutoscaler.
    """
    for needed, what, keys in (
        (wanted.needs_keda, "KEDA", "web.hpa.metric: cpu and worker.scale_by: fixed"),
        (wanted.needs_vpa, "the VerticalPodAutoscaler", "vpa.mode: none"),
    ):
        if needed:
            raise TidegateError(
                f"the policy asks for {what}, which is not deployed by this version",
                where="tidegate:policy",
                cure=f"set {keys}, or install it and the chart yourself",
            )
