"""How each sort of fault is made, asked about and lifted."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.chaos.cluster import GRACE_S, Cluster
from tidegate.chaos.experiment import TARGET_NAMESPACE, Experiment
from tidegate.chaos.injector import Word, word
from tidegate.errors import TidegateError
from tidegate.proc import run
from tidegate.run.objects import condition, text

_NODE_BACK_S = 120.0


class Doing(ABC):
    """One fault in the making."""

    @abstractmethod
    def begin(self) -> None:
        """Make the fault; TidegateError when it is refused."""

    @abstractmethod
    def ask(self) -> Word:
        """What is known of it from whoever makes it."""

    @abstractmethod
    def lift(self) -> dict[str, Any]:
        """End it, wait until it is gone, and tell how that went; safe to call when nothing was begun."""

    @abstractmethod
    def afterwards(self) -> list[list[str]]:
        """Commands that lift it from outside, for when nobody else does."""


class MeshFault(Doing):
    """An object of Chaos Mesh."""

    def __init__(self, cluster: Cluster, experiment: Experiment, kubectl: Sequence[str] = ()) -> None:
        self._cluster = cluster
        self._experiment = experiment
        self._kubectl = ["kubectl", *kubectl]

    def begin(self) -> None:
        """Apply the object as its file has it."""
        self._cluster.apply(self._experiment.manifest)

    def ask(self) -> Word:
        """Read its status; of a Workflow or Schedule, that of the faults they made."""
        experiment = self._experiment
        found = self._cluster.get(experiment.kind, experiment.name)
        if found is None:
            return Word(injected=False, recovered=True, pods=(), errors=())
        if experiment.kind not in ("Schedule", "Workflow"):
            return word(found)
        kinds = {fault.kind for fault in experiment.faults}
        words = [
            word(self._cluster.get(kind, name) or {}) for kind, name in self._cluster.left() if kind in kinds
        ]
        return Word(
            injected=any(one.injected for one in words),
            recovered=all(one.recovered for one in words),
            pods=tuple(dict.fromkeys(pod for one in words for pod in one.pods)),
            errors=tuple(error for one in words for error in one.errors),
        )

    def lift(self) -> dict[str, Any]:
        """Delete the object, and whatever it made."""
        experiment = self._experiment
        by_itself = self._cluster.lift(experiment.kind, experiment.name)
        if experiment.kind in ("Schedule", "Workflow"):
            ends_s = time.monotonic() + 20
            while (left := self._made()) and time.monotonic() < ends_s:
                time.sleep(0.5)
            for kind, name in left:
                by_itself = self._cluster.lift(kind, name) and by_itself
        return {} if by_itself else {"cleared": "the injector did not let go; the finalizer was cleared"}

    def _made(self) -> list[tuple[str, str]]:
        kinds = {fault.kind for fault in self._experiment.faults}
        return [
            (kind, name)
            for kind, name in self._cluster.left()
            if kind in kinds and name.startswith((self._experiment.name, "fault"))
        ]

    def afterwards(self) -> list[list[str]]:
        """Delete it by kubectl; one that never injected hangs on its finalizer (`Cluster.lift`)."""
        what = [
            f"{self._experiment.kind.lower()}.chaos-mesh.org",
            self._experiment.name,
            "-n",
            TARGET_NAMESPACE,
        ]
        return [
            [*self._kubectl, "delete", *what, "--ignore-not-found", f"--timeout={GRACE_S:g}s"],
            [*self._kubectl, "patch", *what, "--type=merge", "-p", '{"metadata": {"finalizers": null}}'],
        ]


class StoppedNode(Doing):
    """A kind node whose container is stopped, and started again."""

    def __init__(self, cluster: Cluster, node: str, environment: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._node = node
        self._environment = dict(environment)
        self._begun = False

    def begin(self) -> None:
        """Kill the container: a node that is lost does not say goodbye."""
        if not self._node:
            raise TidegateError("no node can be stopped: each is the control plane or carries a database")
        self._begun = True
        run(["docker", "kill", self._node], env=self._environment, timeout_s=60)

    def ask(self) -> Word:
        """Whether its container runs."""
        words = ["docker", "inspect", "-f", "{{.State.Running}}", self._node]
        said = run(words, env=self._environment, timeout_s=30, check=False).stdout.strip()
        return Word(injected=said == "false", recovered=said == "true", pods=(), errors=())

    def lift(self) -> dict[str, Any]:
        """Start it and wait until it is Ready."""
        if not self._begun:
            return {}
        run(["docker", "start", self._node], env=self._environment, timeout_s=120)
        ends_s = time.monotonic() + _NODE_BACK_S
        while time.monotonic() < ends_s:
            if self._ready():
                self._begun = False
                return {}
            time.sleep(1.0)
        return {"late": f"node {self._node} was not Ready again within {_NODE_BACK_S:g} s"}

    def _ready(self) -> bool:
        try:
            nodes = self._cluster.nodes()
        except TidegateError:
            return False
        found = [condition(node, "Ready") for node in nodes if text(node, "metadata", "name") == self._node]
        return bool(found) and found[0] is not None and found[0].get("status") == "True"

    def afterwards(self) -> list[list[str]]:
        """Start its container."""
        return [["docker", "start", self._node]] if self._node else []


class ReplacedPod(Doing):
    """A pod that is deleted; its controller makes it again, so that there is nothing to lift."""

    def __init__(self, cluster: Cluster, namespace: str, selector: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._selector = selector
        self._before: frozenset[str] = frozenset()

    def _uids(self) -> frozenset[str]:
        return frozenset(
            text(pod, "metadata", "uid") for pod in self._cluster.pods(self._namespace, self._selector)
        )

    def begin(self) -> None:
        """Delete every pod that the selector finds."""
        pods = self._cluster.pods(self._namespace, self._selector)
        if not pods:
            raise TidegateError("no pod to replace", where=f"{self._namespace}: {self._selector}")
        self._before = frozenset(text(pod, "metadata", "uid") for pod in pods)
        for pod in pods:
            self._cluster.delete_pod(self._namespace, text(pod, "metadata", "name"))

    def ask(self) -> Word:
        """Whether another one is there."""
        now = self._uids()
        return Word(injected=bool(now) and not now & self._before, recovered=True, pods=(), errors=())

    def lift(self) -> dict[str, Any]:
        """There is nothing to do."""
        return {}

    def afterwards(self) -> list[list[str]]:
        """There is nothing to do."""
        return []
