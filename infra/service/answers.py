"""The last resource of a deployment: the service answers through its gateway.

Ready pods and a programmed gateway are not yet that. The gateway's controller still has to tell every Envoy
of the pods, and until then it answers 503: `up` would end before the service can be used.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider, UpdateResult

Props = dict[str, Any]

_KEYS = ("url", "cluster_id", "image")


class AnswersProvider(ResourceProvider):
    """Waits. There is nothing to read or to delete."""

    serialize_as_secret_always = False

    def create(self, props: Props) -> CreateResult:
        """Wait until the service answers."""
        from tidegate.deploy.gateway import await_answers

        await_answers(props["url"])
        return CreateResult(props["cluster_id"], {key: props[key] for key in _KEYS})

    def diff(self, id_: str, olds: Props, news: Props) -> DiffResult:  # noqa: ARG002
        """Wait again for other pods or another address; another cluster is another resource."""
        changed = [key for key in _KEYS if olds.get(key) != news.get(key)]
        return DiffResult(changes=bool(changed), replaces=[key for key in changed if key == "cluster_id"])

    def update(self, id_: str, olds: Props, news: Props) -> UpdateResult:  # noqa: ARG002
        """Wait until the service answers."""
        return UpdateResult(self.create(news).outs)


class Answers(Resource, module="service", name="Answers"):
    """The service answers.

    Args:
        url: the gateway's URL without a path.
        cluster_id: identity of the cluster.
        image: what serves.
    """

    def __init__(
        self,
        name: str,
        *,
        url: str,
        cluster_id: pulumi.Input[str],
        image: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Props = {"url": url, "cluster_id": cluster_id, "image": image}
        super().__init__(AnswersProvider(), name, props, opts)
