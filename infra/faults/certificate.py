"""Certificates of the controller and the daemon, as a Pulumi dynamic resource.

The daemon does as root whatever the gRPC client asks, so that it takes no client but the controller, by
certificate, beside the NetworkPolicy that lets nobody else reach it.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

Props = dict[str, Any]
_MADE = ("authority", "certificate", "key", "client_certificate", "client_key")


class FaultCertificatesProvider(ResourceProvider):
    """Certificates made once. See `infra.cluster.resources` for why it imports when called."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Draw an authority and what it signs."""
        import secrets

        from infra.faults.keys import draw

        made = draw(props["server_name"])
        return CreateResult(secrets.token_hex(8), {"server_name": props["server_name"], **made})

    def diff(self, id_: str, olds: Props, news: Props) -> DiffResult:  # noqa: ARG002
        """Only another name makes other certificates."""
        changed = olds["server_name"] != news["server_name"]
        return DiffResult(changes=changed, replaces=["server_name"] if changed else [])


class FaultCertificates(Resource, module="faults", name="Certificates"):
    """An authority that signs nothing else, the daemon's certificate, and that of its one client."""

    authority: pulumi.Output[str]
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]
    client_certificate: pulumi.Output[str]
    client_key: pulumi.Output[str]

    def __init__(self, name: str, *, server_name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["key", "client_key"])
        props: Props = {"server_name": server_name, **dict.fromkeys(_MADE)}
        super().__init__(FaultCertificatesProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))
