"""What scales beside the HPA of the web pods, as far as the policy asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra import policy
from infra.autoscaling.cluster_autoscaler import cluster_autoscaler
from infra.autoscaling.keda import NAMES as KEDA_NAMES
from infra.autoscaling.keda import custom_resources as keda_definitions
from infra.autoscaling.keda import keda
from infra.autoscaling.resources import NodeServer
from infra.autoscaling.vpa import NAMES as VPA_NAMES
from infra.autoscaling.vpa import acting, recommender
from infra.autoscaling.vpa import custom_resources as vpa_definitions
from infra.certificate import Certificates
from infra.images import Image, Images
from infra.manifests import Manifest
from infra.objects import KubernetesObject, register, within
from infra.target import Target
from tidegate.errors import TidegateError
from tidegate.images.controllers import KEDA_DEFINITIONS, VPA_DEFINITIONS
from tidegate.models.policy import Policy


@dataclass(frozen=True)
class AutoscalingArgs:
    """What the autoscaling layer needs to know.

    Args:
        target: the cluster, with its network and the service's namespace ready.
        cluster: its name.
        cluster_id: its identity.
        policy: what decides scaling.
        images: all images; those that the policy needs must be among them.
        definitions: where the custom resource definitions lie, by their names in the catalogue.
    """

    target: Target
    cluster: str
    cluster_id: pulumi.Input[str]
    policy: Policy
    images: Images
    definitions: Mapping[str, Path]


class Autoscaling(pulumi.ComponentResource):
    """KEDA, the VerticalPodAutoscaler, the cluster-autoscaler with the server it asks for nodes.

    Each of them only where the policy asks for it. The service's own objects, which are of kinds that are
    defined here, wait for `before_service`; nothing waits for nodes that may come and go.
    """

    def __init__(self, name: str, args: AutoscalingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tidegate:infra:Autoscaling", name, None, opts)
        self._name, self._args = name, args
        self.before_service: list[KubernetesObject] = []
        if args.policy.needs_keda:
            self.before_service += self._keda()
        if args.policy.needs_vpa:
            self.before_service += self._vpa()
        self.objects = list(self.before_service)
        if args.policy.needs_cluster_autoscaler:
            self.objects += self._cluster_autoscaler()
        self.register_outputs({})

    def _child(self, *after: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(after))

    def _register(self, objects: Sequence[Manifest], *after: pulumi.Resource) -> list[KubernetesObject]:
        policy.enforce(objects)
        return register(objects, within(self, self._args.target, after))

    def _defined(self, name: str, read: Callable[[Path], list[Manifest]]) -> list[KubernetesObject]:
        path = self._args.definitions.get(name)
        if path is None:
            raise TidegateError(f"{name} was not given to the program", where="infra/entry.py")
        return self._register(read(path))

    def _keda(self) -> list[KubernetesObject]:
        images = self._args.images
        defined = self._defined(KEDA_DEFINITIONS, keda_definitions)
        drawn = Certificates(f"{self._name}-keda", names=KEDA_NAMES, opts=self._child())
        objects = keda(
            reference(images.keda, "keda"),
            reference(images.keda_metrics_apiserver, "keda-metrics-apiserver"),
            drawn.authority,
            (drawn.certificate, drawn.key),
            (drawn.client_certificate, drawn.client_key),
        )
        return [*defined, *self._register(objects, *defined)]

    def _vpa(self) -> list[KubernetesObject]:
        images = self._args.images
        defined = self._defined(VPA_DEFINITIONS, vpa_definitions)
        objects = recommender(reference(images.vpa_recommender, "vpa-recommender"))
        if self._args.policy.applies_vpa:
            drawn = Certificates(f"{self._name}-vpa", names=VPA_NAMES, opts=self._child())
            objects += acting(
                reference(images.vpa_updater, "vpa-updater"),
                reference(images.vpa_admission_controller, "vpa-admission-controller"),
                drawn.authority,
                drawn.certificate,
                drawn.key,
            )
        return [*defined, *self._register(objects, *defined)]

    def _cluster_autoscaler(self) -> list[KubernetesObject]:
        args = self._args
        # Not deleted with the cluster, like all else: it is a process of this machine.
        server = NodeServer(
            f"{self._name}-node-server",
            cluster=args.cluster,
            cluster_id=args.cluster_id,
            groups=[group.model_dump_json() for group in args.policy.node_groups],
            opts=self._child(*args.target.ready),
        )
        objects = cluster_autoscaler(
            reference(args.images.cluster_autoscaler, "cluster-autoscaler"),
            server.address,
            server.authority,
            server.certificate,
            server.key,
        )
        return self._register(objects, server)


def reference(image: Image | None, name: str) -> str:
    """Return what manifests call an image that only some policies need.

    Raises:
        TidegateError: it was not looked up, although the policy needs it.
    """
    if image is None:
        raise TidegateError(
            f"the policy needs the image {name}", where="infra/images.py", cure="look it up with the others"
        )
    return image.reference
