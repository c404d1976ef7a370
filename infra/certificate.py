"""Certificates of a server inside the cluster, as a Pulumi dynamic resource.

Drawn by the program and not by the server: what makes its own at its start needs the right to write secrets
and to change the objects that name its authority, and is not trusted until it has done so.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

Props = dict[str, Any]

_MADE = ("authority", "certificate", "key", "client_certificate", "client_key")


class CertificatesProvider(ResourceProvider):
    """Certificates made once. See `infra.cluster.resources` for why it imports when called."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Draw an authority and what it signs."""
        import secrets

        from tidegate.nodes.certificates import bundle

        made = bundle(props["names"])
        outs = {
            "names": props["names"],
            "authority": made.authority,
            "certificate": made.server.certificate,
            "key": made.server.key,
            "client_certificate": made.client.certificate,
            "client_key": made.client.key,
        }
        return CreateResult(secrets.token_hex(8), outs)

    def diff(self, id_: str, olds: Props, news: Props) -> DiffResult:  # noqa: ARG002
        """Only other names make other certificates."""
        changed = olds["names"] != news["names"]
        return DiffResult(changes=changed, replaces=["names"] if changed else [])


class Certificates(Resource, module="infra", name="Certificates"):
    """A server's certificate and that of its one client, signed by an authority that signs nothing else.

    Args:
        names: DNS names under which the server is reached.
    """

    authority: pulumi.Output[str]
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]
    client_certificate: pulumi.Output[str]
    client_key: pulumi.Output[str]

    def __init__(
        self, name: str, *, names: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["key", "client_key"])
        props: Props = {"names": list(names), **dict.fromkeys(_MADE)}
        super().__init__(CertificatesProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


def ca_bundle(authority: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return an authority's certificate as APIServices and webhook configurations take it."""
    return pulumi.Output.from_input(authority).apply(_base64)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("ascii")).decode("ascii")


def service_names(*services: str, namespace: str) -> list[str]:
    """Return the names under which Services are reached from anywhere in the cluster."""
    return [
        f"{service}.{namespace}{rest}" for service in services for rest in (".svc", ".svc.cluster.local", "")
    ]
