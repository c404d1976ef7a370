"""The interface between what is decided about nodes and what is done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tidegate.models.node_group import NodeGroup
from tidegate.nodes.marks import Mark


@dataclass(frozen=True)
class Capacity:
    """What every node reports before anything is reserved: all of the machine.

    Args:
        cpu_m: milli-cores.
        memory_ki: kibibytes.
        storage_ki: kibibytes of local disk.
        architecture: as in the label kubernetes.io/arch.
    """

    cpu_m: int
    memory_ki: int
    storage_ki: int
    architecture: str


class Host(Protocol):
    """The container engine and the cluster, as far as nodes are concerned.

    Every method may raise a TidegateError; what it did until then must not hinder a second call.
    """

    def marks(self) -> list[Mark]:
        """Return all marks of the cluster's nodes."""
        ...

    def put(self, mark: Mark) -> None:
        """Make a mark; one of the same node and stage stays as it is."""
        ...

    def clear(self, node: str) -> None:
        """Take away all marks of a node, `deleting` last."""
        ...

    def containers(self) -> dict[str, str]:
        """Return node name to group of the containers, running or not, that carry a group's label."""
        ...

    def start(self, node: str, group: NodeGroup) -> None:
        """Make the node and let it join; what is left of an earlier attempt is removed first."""
        ...

    def stock(self, node: str, go_on: Callable[[], bool]) -> None:
        """Give a node that serves already what else it may be asked for; see `tidegate.nodes.images`.

        Ends early, and without an error, once `go_on` says no.
        """
        ...

    def discard(self, node: str) -> None:
        """Remove the node's container and its Node object, whether or not there are any."""
        ...

    def drain(self, node: str) -> None:
        """Move pods away that the autoscaler left there. Not an error when that cannot be done in time."""
        ...

    def capacity(self) -> Capacity:
        """Return what a node of the cluster has."""
        ...
