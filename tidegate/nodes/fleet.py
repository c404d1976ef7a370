"""Decide which nodes to add and remove, and do it in the background.

Calls of the autoscaler return as soon as a mark is made: it gives up after 5 s
(cloudprovider/externalgrpc/externalgrpc_cloud_provider.go, defaultGRPCTimeout), a node takes 12 to 20.
`reconcile` then compares the marks with what is there and starts what is missing; it can be called at any
time, from any thread, and after a crash of any kind.

A failure is kept as a mark until the autoscaler, having read it and backed off, deletes the node
(core/static_autoscaler.go, deleteCreatedNodesWithErrors). Nothing is tried again here: how often and when is
the autoscaler's to decide.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

from tidegate.errors import TidegateError
from tidegate.models.node_group import NodeGroup
from tidegate.nodes.host import Host
from tidegate.nodes.marks import Machine, Mark, Stage, is_lost, machines

log = logging.getLogger(__name__)

NOTE_LENGTH = 200
"""Characters of a reason that are kept; the autoscaler itself cuts what it shows."""


class UnknownGroup(TidegateError):  # noqa: N818 - said to the autoscaler as a status, not raised to a user
    """There is no node group of that name."""


class Refused(TidegateError):  # noqa: N818
    """The request contradicts the group's bounds or what is there."""


class Fleet:
    """The nodes of all groups of one cluster.

    Args:
        cluster: its name; nodes are called `<cluster>-<group>-<six hex digits>`.
        groups: the node groups, by name.
        host: see `tidegate.nodes.host`.
        workers: runs what takes long.
        spare: runs what nobody waits for, so that it keeps no worker from what somebody does.
        name: makes the last part of a node's name.
    """

    def __init__(
        self,
        cluster: str,
        groups: Sequence[NodeGroup],
        host: Host,
        workers: Executor,
        spare: Executor,
        *,
        name: Callable[[], str] = lambda: secrets.token_hex(3),
    ) -> None:
        self.cluster = cluster
        self.groups: Mapping[str, NodeGroup] = {group.name: group for group in groups}
        self._host = host
        self._workers = workers
        self._spare = spare
        self._ending = False
        self._name = name
        self._lock = threading.RLock()
        self._queued: set[str] = set()
        self._running: set[str] = set()

    def group(self, name: str) -> NodeGroup:
        """Return the group called `name`.

        Raises:
            UnknownGroup: there is none.
        """
        if name not in self.groups:
            raise UnknownGroup(f"there is no node group {name!r}")
        return self.groups[name]

    def nodes(self, group: str) -> list[Machine]:
        """Return the nodes of `group`, those on their way in or out included."""
        self.group(group)
        return [each for each in self._all() if each.group == group]

    def find(self, node: str) -> Machine | None:
        """Return the node called `node`; None if it is none of a group's."""
        return next((each for each in self._all() if each.node == node and each.group in self.groups), None)

    def target(self, group: str) -> int:
        """Return how many nodes the group is to have: all but those on their way out."""
        return sum(each.stage is not Stage.DELETING for each in self.nodes(group))

    def increase(self, group: str, delta: int) -> None:
        """Want `delta` more nodes.

        Raises:
            Refused: `delta` is not above 0, or the group's maximum would be exceeded.
            UnknownGroup: there is no such group.
        """
        wanted = self.group(group)
        if delta <= 0:
            raise Refused(f"delta must be above 0, not {delta}")
        with self._lock:
            size = self.target(group)
            if size + delta > wanted.max_nodes:
                raise Refused(f"{group}: {size} + {delta} is above the maximum {wanted.max_nodes}")
            for _ in range(delta):
                self._host.put(Mark(f"{self.cluster}-{group}-{self._name()}", group, Stage.WANTED))
        self.reconcile()

    def decrease(self, group: str, delta: int) -> None:
        """Give up `-delta` nodes for which nothing was begun yet.

        Raises:
            Refused: `delta` is not below 0, or fewer nodes than that are still waiting.
            UnknownGroup: there is no such group.
        """
        if delta >= 0:
            raise Refused(f"delta must be below 0, not {delta}")
        with self._lock:
            waiting = [
                each.node
                for each in self.nodes(group)
                if each.stage is Stage.WANTED and each.node not in self._running
            ]
            if len(waiting) < -delta:
                raise Refused(f"{group}: {len(waiting)} nodes are waiting, {-delta} cannot be given up")
            for node in waiting[delta:]:
                self._host.put(Mark(node, group, Stage.DELETING))
        self.reconcile()

    def delete(self, group: str, nodes: Sequence[str]) -> None:
        """Remove `nodes`; one that is already gone or going is no error.

        Raises:
            Refused: a node belongs to another group; then none is removed.
            UnknownGroup: there is no such group.
        """
        self.group(group)
        with self._lock:
            known = {each.node: each for each in self._all()}
            foreign = [node for node in nodes if node in known and known[node].group != group]
            if foreign:
                raise Refused(f"{foreign[0]} is not a node of {group}")
            for node in nodes:
                if node in known:
                    self._host.put(Mark(node, group, Stage.DELETING))
        self.reconcile()

    def reconcile(self) -> None:
        """Start, in the background, whatever the marks ask for and nobody is doing.

        Nodes of a group that the policy no longer has are removed.
        """
        with self._lock:
            containers = self._host.containers()
            for machine in machines(self._host.marks(), containers):
                if machine.node in self._queued or machine.node in self._running:
                    continue
                retired = machine.group not in self.groups
                if machine.stage is not Stage.DELETING and (retired or is_lost(machine, containers)):
                    why = "its group is gone" if retired else "its container is gone"
                    log.warning("%s: %s", machine.node, why)
                    self._host.put(Mark(machine.node, machine.group, Stage.DELETING))
                elif machine.stage not in (Stage.WANTED, Stage.DELETING):
                    continue
                self._queued.add(machine.node)
                self._workers.submit(self._work, machine.node)

    def end(self) -> None:
        """Begin nothing more that nobody waits for."""
        self._ending = True

    def _all(self) -> list[Machine]:
        return machines(self._host.marks(), self._host.containers())

    def _work(self, node: str) -> None:
        """Do what the node's marks ask for now, which may be another thing than when it was queued."""
        with self._lock:
            self._queued.discard(node)
            self._running.add(node)
        try:
            done = self._stage(node)
            if done is Stage.WANTED:
                self._add(node)
            elif done is Stage.DELETING:
                self._remove(node)
            changed = self._stage(node) not in (done, Stage.JOINED, Stage.FAILED, None)
        except Exception as error:
            # What is left is seen by the next `reconcile`, which every round of the autoscaler calls.
            log.warning("%s: %s", node, error, exc_info=not isinstance(error, TidegateError))
            changed = False
        finally:
            with self._lock:
                self._running.discard(node)
        if changed:
            self.reconcile()

    def _machine(self, node: str) -> Machine | None:
        return next((each for each in self._all() if each.node == node), None)

    def _stage(self, node: str) -> Stage | None:
        found = self._machine(node)
        return found.stage if found else None

    def _add(self, node: str) -> None:
        machine = self._machine(node)
        if machine is None:
            return
        try:
            self._host.start(node, self.group(machine.group))
        except Exception as error:
            log.warning(
                "%s could not be made: %s", node, error, exc_info=not isinstance(error, TidegateError)
            )
            note = " ".join((str(error) or repr(error)).split())[:NOTE_LENGTH]
            # First the mark: if the next line fails, the node still counts as failed, not as wanted.
            self._host.put(Mark(node, machine.group, Stage.FAILED, note))
            self._host.discard(node)
            return
        self._host.put(Mark(node, machine.group, Stage.JOINED))
        log.info("%s joined", node)
        self._spare.submit(self._stock, node)

    def _stock(self, node: str) -> None:
        try:
            # A node that is to go must not wait for it, nor must the server's end.
            self._host.stock(node, lambda: not self._ending and self._stage(node) is Stage.JOINED)
        except TidegateError as error:
            log.warning("%s serves, but lacks images that others have: %s", node, error)

    def _remove(self, node: str) -> None:
        self._host.drain(node)
        self._host.discard(node)
        self._host.clear(node)
        log.info("%s is gone", node)
