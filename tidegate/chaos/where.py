"""Which cluster may be broken: the project's own, and another only when its owner says so twice."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from tidegate.chaos.cluster import Cluster
from tidegate.errors import TidegateError
from tidegate.host.paths import kubeconfig_path
from tidegate.observe.kubeconfig import current_context, load_kubeconfig


@dataclass(frozen=True)
class Where:
    """A cluster that may be broken.

    Args:
        kubeconfig: its file.
        context: which context of it; empty for its current one.
        own: whether it is the stack's own kind cluster, whose nodes may be stopped.
    """

    kubeconfig: Path
    context: str
    own: bool

    def kubectl(self) -> list[str]:
        """Return the words by which kubectl finds it, and no other."""
        words = ["--kubeconfig", str(self.kubeconfig)]
        return [*words, "--context", self.context] if self.context else words

    def open(self) -> Cluster:
        """Return its API."""
        return Cluster(load_kubeconfig(self.kubeconfig, self.context))


def where(cluster_name: str, *, context: str, allow_foreign: bool) -> Where:
    """Return the cluster to break.

    Args:
        cluster_name: of the stack's kind cluster.
        context: a context of the user's own kubeconfig; empty for the stack's cluster.
        allow_foreign: whether a cluster that is not the project's may be broken.

    Raises:
        TidegateError: it is foreign and that was not allowed, or it was allowed and none was named.
    """
    own = kubeconfig_path(cluster_name)
    if not context:
        if allow_foreign:
            raise TidegateError(
                "--allow-foreign-cluster without --context", cure="name the cluster's context"
            )
        return Where(own, "", own=True)
    if context == f"kind-{cluster_name}":
        return Where(own, context, own=True)
    if not allow_foreign:
        raise TidegateError(
            f"context {context} is not this stack's cluster",
            cure="add --allow-foreign-cluster if that cluster may be broken",
        )
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    path = Path(named) if named else Path.home() / ".kube" / "config"
    current = current_context(path)
    if current != context:
        # Everything that takes part then means the same cluster, the recorder and kubectl too.
        raise TidegateError(
            f"{context} is not the current context, {current or 'none'} is",
            where=str(path),
            cure=f"kubectl config use-context {context}",
        )
    return Where(path, context, own=False)
