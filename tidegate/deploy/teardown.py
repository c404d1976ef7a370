"""Take a stack away, whatever state it is in."""

from __future__ import annotations

from collections.abc import Callable

from tidegate.deploy.events import OperationProgress
from tidegate.deploy.stack import Stack
from tidegate.errors import TidegateError
from tidegate.host.paths import bin_dir, cluster_dir


def remove_stack(
    stack: Stack, cluster: str, report: Callable[[OperationProgress], None], say: Callable[[str], None]
) -> list[str]:
    """Destroy what the stack made, and forget the stack.

    A stack whose operation was killed may hold objects that Pulumi cannot delete any more (their cluster is
    gone or half-made). The cluster is then removed by its own record of ownership, and the stack with it:
    everything else lives inside the cluster.

    Args:
        stack: the stack.
        cluster: name of its kind cluster.
        report: takes progress.
        say: takes what is waited for before there is any.

    Returns:
        Lines that tell what was done.
    """
    done: list[str] = []
    if (bin_dir() / "pulumi").exists() and stack.exists():
        stack.ensure(say)
        try:
            progress = stack.destroy(report)
            done.append(f"destroyed {progress.changed.get('delete', 0)} resources of stack {stack.name}")
        except TidegateError as error:
            done.append(f"Pulumi could not finish ({error.what[:200]}); the cluster is removed by its record")
        done += remove_cluster(cluster)
        stack.remove()
    else:
        done += remove_cluster(cluster)
    return done


def remove_cluster(cluster: str) -> list[str]:
    """Remove a kind cluster of ours that Pulumi does not know, or not any more."""
    from infra.cluster import kind, record

    known = record.load(cluster)
    if known is None:
        return []
    kind.delete(cluster, known.token)
    leftover = cluster_dir(cluster)
    if leftover.exists():
        raise TidegateError(f"cluster {cluster} was not removed", where=str(leftover), cure="run it again")
    return [f"removed the kind cluster {cluster}"]
