"""What can break the service on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pulumi

from infra import policy
from infra.certificate import Certificates
from infra.faults.controller import controller, into_service
from infra.faults.daemon import daemon
from infra.faults.definitions import definitions
from infra.faults.dns import dns_server
from infra.faults.names import NAMESPACE, SERVER_NAME
from infra.manifests import Manifest, namespace
from infra.objects import KubernetesObject, register, within
from infra.target import Target

_PRIVILEGED = {f"pod-security.kubernetes.io/{mode}": "privileged" for mode in ("enforce", "warn")}


@dataclass(frozen=True)
class FaultsArgs:
    """What the faults layer needs to know.

    Args:
        target: the cluster, with its network and the service's namespace ready.
        controller_image: image reference.
        daemon_image: image reference.
        dns_image: image reference.
        definitions: the folder of Chaos Mesh's custom resource definitions.
    """

    target: Target
    controller_image: str
    daemon_image: str
    dns_image: str
    definitions: Path


@dataclass(frozen=True)
class Keys:
    """Certificates as the objects hold them, PEM text."""

    authority: pulumi.Input[str]
    server: tuple[pulumi.Input[str], pulumi.Input[str]]
    client: tuple[pulumi.Input[str], pulumi.Input[str]]


def manifests(args: FaultsArgs, keys: Keys) -> list[list[Manifest]]:
    """Return the objects of the layer in the order they need each other."""
    return [
        [*namespace(NAMESPACE, labels=_PRIVILEGED), *definitions(args.definitions)],
        [
            *daemon(args.daemon_image, keys.authority, keys.server, keys.client),
            *controller(args.controller_image, *keys.server),
            *dns_server(args.dns_image),
            *into_service(),
        ],
    ]


class Faults(pulumi.ComponentResource):
    """Chaos Mesh, limited to the service's namespace."""

    def __init__(self, name: str, args: FaultsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tidegate:infra:Faults", name, None, opts)
        # The daemon does as root whatever its client asks: it takes none but the controller, by certificate,
        # beside the NetworkPolicy that lets nobody else reach it.
        drawn = Certificates(
            f"{name}-certificates", names=[SERVER_NAME], opts=pulumi.ResourceOptions(parent=self)
        )
        keys = Keys(
            drawn.authority,
            (drawn.certificate, drawn.key),
            (drawn.client_certificate, drawn.client_key),
        )
        first, rest = manifests(args, keys)
        policy.enforce([*first, *rest])
        self.objects: list[KubernetesObject] = register(first, within(self, args.target))
        self.objects += register(rest, within(self, args.target, self.objects))
        self.register_outputs({})
