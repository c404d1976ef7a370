"""A node drained as `kubectl drain` does it: cordoned, and its web pods evicted as their budget allows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from tidegate.chaos.blast import selected
from tidegate.chaos.cluster import CORDONED, Cluster
from tidegate.chaos.doing import Doing
from tidegate.chaos.injector import Word
from tidegate.errors import TidegateError
from tidegate.run.objects import dig, text

AGAIN_S = 5.0
"""Seconds until a refused eviction is asked for again, as kubectl has it."""


class DrainedNode(Doing):
    """A node that takes no new pods while its chosen ones are evicted.

    Args:
        cluster: the API.
        node: which; empty when there is none that could be drained.
        namespace, selector: of the pods that are to leave. Others stay: nothing of theirs is claimed.
        kubectl: words by which kubectl finds the cluster.
    """

    def __init__(
        self, cluster: Cluster, node: str, namespace: str, selector: str, kubectl: Sequence[str] = ()
    ) -> None:
        self._cluster = cluster
        self._node = node
        self._namespace = namespace
        self._selector = selector
        self._kubectl = ["kubectl", *kubectl]
        self._cordoned = False
        self._ask_again_s = 0.0
        self._chosen: dict[str, None] = {}
        self._evicted: dict[str, None] = {}
        self._budgets: list[str] = []
        self._refusals = 0
        self._refused = ""

    def begin(self) -> None:
        """Cordon it; pods are evicted whenever it is asked how things are."""
        if not self._node:
            raise TidegateError("no node can be drained: none but the control plane carries a web pod")
        name, _, value = self._selector.partition("=")
        self._budgets = self._cluster.budgets(self._namespace, name, value)
        self._cordoned = True
        self._cluster.cordon(self._node, on=True)

    def ask(self) -> Word:
        """Evict what may go now; it is done to the node as long as that takes no new pods."""
        left = [text(pod, "metadata", "name") for pod in self._left()]
        self._chosen |= dict.fromkeys(left)
        if time.monotonic() >= self._ask_again_s:
            for name in left:
                if name not in self._evicted and not self._evict(name):
                    break
        return Word(injected=self._cordoned, recovered=False, pods=tuple(self._chosen), errors=())

    def _left(self) -> list[dict[str, Any]]:
        return [
            pod
            for pod in self._cluster.pods(self._namespace)
            if text(pod, "spec", "nodeName") == self._node
            and selected(pod, self._selector)
            and not dig(pod, "metadata", "deletionTimestamp")
        ]

    def _evict(self, name: str) -> bool:
        refused = self._cluster.evict(self._namespace, name)
        if refused:
            self._refusals, self._refused = self._refusals + 1, refused
            self._ask_again_s = time.monotonic() + AGAIN_S
            return False
        self._evicted[name] = None
        return True

    def lift(self) -> dict[str, Any]:
        """Let pods come again, and tell who left and what was refused."""
        if not self._cordoned:
            return {}
        self._cluster.cordon(self._node, on=False)
        self._cordoned = False
        told: dict[str, Any] = {
            "node": self._node,
            "budgets": self._budgets,
            "evicted": list(self._evicted),
            "refusals": self._refusals,
        }
        return told | ({"refused": self._refused} if self._refused else {})

    def afterwards(self) -> list[list[str]]:
        """Uncordon it by kubectl, and take our mark off."""
        if not self._node:
            return []
        return [
            [*self._kubectl, "uncordon", self._node],
            [*self._kubectl, "annotate", "node", self._node, f"{CORDONED}-"],
        ]
