"""What is known of a node, kept in the container engine.

A node's life is told by marks: small labelled volumes that hold nothing. The engine makes one at once, while
a container takes seconds; they survive this server, the autoscaler and a restart of the machine; making one
twice is no error. So `wanted` is written before anything is made and `deleting` removed after all is gone,
and whoever reads the marks knows what is left to do.

A mark that somebody pruned is no harm: a container says by its own label which group it is of, and counts
as joined; if it is not, the autoscaler removes it as a node that never registered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """How far a node is; also the kinds of marks. A later one outweighs an earlier one."""

    WANTED = "wanted"
    JOINED = "joined"
    FAILED = "failed"
    DELETING = "deleting"


ORDER = tuple(Stage)
"""From weakest to strongest. Also the order in which marks are taken away, so that `deleting` goes last."""


@dataclass(frozen=True)
class Mark:
    """One mark.

    Args:
        node: name of the node and its container.
        group: name of the node group.
        stage: what is said.
        note: for `failed`, why, in one line.
    """

    node: str
    group: str
    stage: Stage
    note: str = ""


@dataclass(frozen=True)
class Machine:
    """A node as the marks tell it; `note` as in `Mark`."""

    node: str
    group: str
    stage: Stage
    note: str = ""


def machines(marks: Iterable[Mark], containers: Mapping[str, str]) -> list[Machine]:
    """Return every node, by name.

    Args:
        marks: all of the cluster's.
        containers: node name to group, from the containers' own labels.
    """
    found = {
        node: Machine(node, group, Stage.JOINED)  # until a mark says otherwise
        for node, group in containers.items()
    }
    strongest: dict[str, Mark] = {}
    for mark in marks:
        known = strongest.get(mark.node)
        if known is None or ORDER.index(mark.stage) > ORDER.index(known.stage):
            strongest[mark.node] = mark
    for mark in strongest.values():
        found[mark.node] = Machine(mark.node, mark.group, mark.stage, mark.note)
    return [found[node] for node in sorted(found)]


def is_lost(machine: Machine, containers: Mapping[str, str]) -> bool:
    """Whether the node joined, and its container was then removed by somebody else."""
    return machine.stage is Stage.JOINED and machine.node not in containers
