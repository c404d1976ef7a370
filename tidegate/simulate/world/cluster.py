"""Nodes and the pods on them: where a pod fits, and when a node is added or taken away."""

from __future__ import annotations

from tidegate.simulate.world.parameters import Nodes
from tidegate.simulate.world.pod import Pod


class Cluster:
    """Nodes of one size. A pod goes to the first node that has room for its request.

    A cluster-autoscaler is there where `most` is above `least`: at each scan it asks for as many nodes as
    the pods without one need, counting those already asked for, and gives back a node that has been empty
    for `unneeded_s`.
    """

    def __init__(self, nodes: Nodes, request_m: int, now_s: float) -> None:
        self.nodes = nodes
        self._request_m = request_m
        self._pods_each = nodes.cpu_m // request_m
        self.pods_on: dict[int, set[str]] = {number: set() for number in range(nodes.least)}
        self._empty_since_s: dict[int, float] = dict.fromkeys(self.pods_on, now_s)
        self._asked = 0
        self._named = nodes.least

    @property
    def scales(self) -> bool:
        """Whether there is a cluster-autoscaler."""
        return self.nodes.most > self.nodes.least

    def place(self, pod: Pod) -> bool:
        """Put `pod` on a node that has room; return whether there was one."""
        for number, on_it in self.pods_on.items():
            if len(on_it) < self._pods_each:
                on_it.add(pod.name)
                self._empty_since_s.pop(number, None)
                pod.node = number
                return True
        return False

    def remove(self, pod: Pod, now_s: float) -> None:
        """Take `pod` off its node."""
        if pod.node is None:
            return
        on_it = self.pods_on[pod.node]
        on_it.discard(pod.name)
        if not on_it:
            self._empty_since_s[pod.node] = now_s

    def wanted(self, pending: int) -> int:
        """Return how many nodes to ask for, for `pending` pods without a node, and count them as asked."""
        if not self._pods_each:
            return 0
        needed = -(-pending // self._pods_each) - self._asked
        allowed = self.nodes.most - len(self.pods_on) - self._asked
        count = max(0, min(needed, allowed))
        self._asked += count
        return count

    def add(self, now_s: float) -> int:
        """Bring in a node that was asked for; return its number."""
        number, self._named = self._named, self._named + 1
        self._asked -= 1
        self.pods_on[number] = set()
        self._empty_since_s[number] = now_s
        return number

    def unneeded(self, now_s: float) -> list[int]:
        """Take away the nodes that have been empty long enough, never below the fewest; return them."""
        gone = list[int]()
        for number, since_s in sorted(self._empty_since_s.items(), reverse=True):
            if len(self.pods_on) > self.nodes.least and now_s - since_s >= self.nodes.unneeded_s:
                del self.pods_on[number], self._empty_since_s[number]
                gone.append(number)
        return gone
