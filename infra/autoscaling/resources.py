"""The node server as a Pulumi dynamic resource; `infra.cluster.resources` says why it imports when called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

Props = dict[str, Any]


class NodeServerProvider(ResourceProvider):
    """CRUD of the process that adds nodes to one cluster. The id is the cluster's identity."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Draw certificates, choose a port on the cluster's network, and start the server."""
        from infra.autoscaling import server

        made = server.create(props["cluster"], props["groups"])
        return CreateResult(props["cluster_id"], {**_asked(props), **made})

    def diff(self, id_: str, olds: Props, news: Props) -> DiffResult:  # noqa: ARG002
        """Another cluster needs another server; other groups, or a server that ended, a new start of it."""
        from tidegate.nodes.process import running

        replaces = [key for key in ("cluster", "cluster_id") if olds[key] != news[key]]
        changed = bool(replaces) or olds["groups"] != news["groups"] or not running(olds["cluster"])
        return DiffResult(changes=changed, replaces=replaces, delete_before_replace=True)

    def update(self, id_: str, olds: Props, news: Props) -> UpdateResult:  # noqa: ARG002
        """Start the server anew with the groups asked for; address and certificates stay."""
        from infra.autoscaling import server

        server.restart(olds["cluster"], news["groups"], olds)
        return UpdateResult({**olds, **_asked(news)})

    def delete(self, id_: str, props: Props) -> None:  # noqa: ARG002
        """End the server. Nodes it added go with the cluster."""
        from tidegate.nodes.process import stop

        stop(props["cluster"])


def _asked(props: Props) -> Props:
    return {key: props[key] for key in ("cluster", "cluster_id", "groups")}


class NodeServer(Resource, module="autoscaling", name="NodeServer"):
    """The server that the cluster-autoscaler asks for nodes.

    Args:
        cluster: name of the kind cluster.
        cluster_id: its identity.
        groups: the node groups, as JSON documents.
    """

    address: pulumi.Output[str]
    authority: pulumi.Output[str]
    certificate: pulumi.Output[str]
    key: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster: str,
        cluster_id: pulumi.Input[str],
        groups: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Props = {"cluster": cluster, "cluster_id": cluster_id, "groups": list(groups)}
        made = ("address", "authority", "certificate", "key", "server_certificate", "server_key")
        secret = pulumi.ResourceOptions(additional_secret_outputs=["key", "server_key"])
        super().__init__(
            NodeServerProvider(),
            name,
            {**props, **dict.fromkeys(made)},
            pulumi.ResourceOptions.merge(opts, secret),
        )
