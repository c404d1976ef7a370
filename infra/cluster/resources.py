"""The cluster, its images and a password as Pulumi dynamic resources.

Pulumi pickles the provider classes into the stack's state. They hold no code worth the name, and import what
does the work when called, so that state written by one version of this package works with the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider, UpdateResult

Props = dict[str, Any]


class KindClusterProvider(ResourceProvider):
    """CRUD of one kind cluster. The id is the token of its record."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Make the cluster; see `infra.cluster.kind.create`."""
        from infra.cluster import kind

        made = kind.create(props["name"], props["config"], props["owner"])
        found = {
            "kubeconfig": made.kubeconfig,
            "nodes": sorted(made.containers),
            "workers": list(made.workers),
            "containers": dict(made.containers),
            "cluster_id": made.token,
        }
        return CreateResult(made.token, {**_asked(props), **found})

    def diff(self, id_: str, olds: Props, news: Props) -> DiffResult:  # noqa: ARG002
        """Replace when something else is asked for or the cluster is gone; start it when it stopped.

        The new cluster is made before Pulumi deletes the old one, which it has by then displaced: only in
        that order does Pulumi know that the objects on the old one need no deleting.
        """
        from infra.cluster import kind

        if olds["name"] != news["name"]:
            kind.refuse_new_name(olds["name"], news["name"])
        if olds["config"] != news["config"]:
            return DiffResult(changes=True, replaces=["config"])
        state = kind.presence(olds["name"], olds["containers"])
        if state is kind.Presence.GONE:
            return DiffResult(changes=True, replaces=["containers"])
        return DiffResult(changes=state is kind.Presence.STOPPED or olds["owner"] != news["owner"])

    def update(self, id_: str, olds: Props, news: Props) -> UpdateResult:  # noqa: ARG002
        """Start the nodes and take note of the stack's new name: what does not need another cluster."""
        from infra.cluster import kind

        kind.adopt(olds["name"], news["owner"])
        return UpdateResult({**olds, **_asked(news)})

    def read(self, id_: str, props: Props) -> ReadResult:
        """Notice that the cluster was deleted by other means: Pulumi then forgets it."""
        from infra.cluster import kind

        if kind.presence(props["name"], props["containers"]) is kind.Presence.GONE:
            return ReadResult("", {})
        return ReadResult(id_, props)

    def delete(self, id_: str, props: Props) -> None:
        """Remove the cluster and all that belongs to it on this machine."""
        from infra.cluster import kind

        kind.delete(props["name"], id_)


def _asked(props: Props) -> Props:
    return {key: props[key] for key in ("name", "config", "owner")}


class KindCluster(Resource, module="cluster", name="KindCluster"):
    """A kind cluster of our own.

    Args:
        cluster: its name.
        config: kind configuration, from `infra.cluster.config.intent`.
        owner: the stack it is made for; another stack is refused.
    """

    kubeconfig: pulumi.Output[str]
    nodes: pulumi.Output[list[str]]
    workers: pulumi.Output[list[str]]
    cluster_id: pulumi.Output[str]

    def __init__(
        self, name: str, *, cluster: str, config: str, owner: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props: Props = {"name": cluster, "config": config, "owner": owner}
        props |= dict.fromkeys(("kubeconfig", "nodes", "workers", "containers", "cluster_id"))
        secret = pulumi.ResourceOptions(additional_secret_outputs=["kubeconfig"])
        super().__init__(KindClusterProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))


class NodeImagesProvider(ResourceProvider):
    """Loads images into nodes. There is nothing to delete: they go with the nodes."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Load what the nodes lack, those included that the cluster-autoscaler added."""
        from infra.cluster import images
        from infra.cluster.added import added_nodes

        images.load([*props["nodes"], *added_nodes(props["nodes"])], props["images"])
        return CreateResult(
            props["cluster_id"], {key: props[key] for key in ("cluster_id", "nodes", "images")}
        )

    def diff(self, id_: str, olds: Props, news: Props) -> DiffResult:  # noqa: ARG002
        """Load again when an image or the nodes changed; another cluster is another resource."""
        changed = [key for key in ("cluster_id", "nodes", "images") if olds.get(key) != news.get(key)]
        return DiffResult(changes=bool(changed), replaces=[key for key in changed if key == "cluster_id"])

    def update(self, id_: str, olds: Props, news: Props) -> UpdateResult:  # noqa: ARG002
        """Load what the nodes lack."""
        return UpdateResult(self.create(news).outs)


class NodeImages(Resource, module="cluster", name="NodeImages"):
    """Images of the container engine, loaded into every node.

    Args:
        cluster_id: identity of the cluster.
        nodes: names of the nodes.
        images: image reference to image id.
    """

    def __init__(
        self,
        name: str,
        *,
        cluster_id: pulumi.Input[str],
        nodes: pulumi.Input[Sequence[str]],
        images: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Props = {"cluster_id": cluster_id, "nodes": nodes, "images": dict(images)}
        super().__init__(NodeImagesProvider(), name, props, opts)


class RandomPasswordProvider(ResourceProvider):
    """A password made once. Letters and digits only: it goes unquoted into URLs, SQL and redis.conf."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Draw the password from the system's generator."""
        import secrets
        import string

        letters = string.ascii_letters + string.digits
        # Pulumi hands every number over as a float.
        length = int(props["length"])
        value = "".join(secrets.choice(letters) for _ in range(length))
        return CreateResult(secrets.token_hex(8), {"length": length, "value": value})

    def diff(self, id_: str, olds: Props, news: Props) -> DiffResult:  # noqa: ARG002
        """Only another length makes another password."""
        changed = olds["length"] != news["length"]
        return DiffResult(changes=changed, replaces=["length"] if changed else [])


class RandomPassword(Resource, module="cluster", name="RandomPassword"):
    """A random secret of `length` letters and digits."""

    value: pulumi.Output[str]

    def __init__(self, name: str, *, length: int = 32, opts: pulumi.ResourceOptions | None = None) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["value"])
        props: Props = {"length": length, "value": None}
        super().__init__(RandomPasswordProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))
