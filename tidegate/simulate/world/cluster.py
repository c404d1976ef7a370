"""Nodes and the pods on them: where a pod fits, and when a node is added or taken away."""

from __future__ import annotations

from tidegate.simulate.world.parameters import Nodes
from tidegate.simulate.world.pod import Pod


class Cluster:
    """Nodes of one size. A pod goes to the first node that has room for its request.

    A cluster-autoscaler is there where `most` is above `least`: at each scan it asks for as many nodes as
    the pods without one need, counting those already asked for, and notes which nodes are not needed: those
    of which less than `utilization_percent` is requested and whose pods have room elsewhere. What was not
    needed for `unneeded_s` goes, empty ones at once, others one by one after their pods were moved, but not
    within `delay_after_add_s` of a new node.

    Rules of cluster-autoscaler's FAQ ("How does scale-down work?") and config/flags/flags.go. Left out:
    disruption budgets, its choice among node groups, `new-pod-scale-up-delay`.
    """

    def __init__(self, nodes: Nodes, request_m: int) -> None:
        self.nodes = nodes
        self._request_m = request_m
        self._pods_each = nodes.cpu_m // request_m
        self.pods_on: dict[int, set[str]] = {number: set() for number in range(nodes.least)}
        self.leaving: set[int] = set()
        """Nodes that pods are moved from; none is placed there."""
        self._unneeded_since_s: dict[int, float] = {}
        self._added_s = float("-inf")
        self._asked = 0
        self._named = nodes.least

    @property
    def scales(self) -> bool:
        """Whether there is a cluster-autoscaler."""
        return self.nodes.most > self.nodes.least

    def place(self, pod: Pod) -> bool:
        """Put `pod` on a node that has room; return whether there was one."""
        for number, on_it in self.pods_on.items():
            if len(on_it) < self._pods_each and number not in self.leaving:
                on_it.add(pod.name)
                pod.node = number
                return True
        return False

    def remove(self, pod: Pod) -> None:
        """Take `pod` off its node."""
        if pod.node is not None:
            self.pods_on[pod.node].discard(pod.name)

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
        self._added_s = now_s
        return number

    def look(self, now_s: float) -> tuple[list[int], list[int]]:
        """Note which nodes are not needed; return those that go now, and those whose pods are to be moved."""
        self._note(now_s)
        gone = [number for number in sorted(self.leaving) if not self.pods_on[number]]
        moving = list[int]()
        if now_s - self._added_s >= self.nodes.delay_after_add_s:
            for number, since_s in sorted(self._unneeded_since_s.items(), reverse=True):
                left = len(self.pods_on) - len(self.leaving.union(gone))
                if now_s - since_s < self.nodes.unneeded_s or left <= self.nodes.least:
                    continue
                if not self.pods_on[number]:
                    gone.append(number)
                elif not self.leaving and not moving:
                    moving.append(number)
                    self.leaving.add(number)
        for number in gone:
            self.leaving.discard(number)
            self._unneeded_since_s.pop(number, None)
            del self.pods_on[number]
        return gone, moving

    def _note(self, now_s: float) -> None:
        unneeded = set[int]()
        staying = {number: pods for number, pods in self.pods_on.items() if number not in self.leaving}
        room = sum(self._pods_each - len(pods) for pods in staying.values())
        for number, pods in sorted(staying.items(), key=lambda one: (len(one[1]), -one[0])):
            used = 100 * len(pods) * self._request_m
            own = self._pods_each - len(pods)
            if used < self.nodes.utilization_percent * self.nodes.cpu_m and len(pods) <= room - own:
                # Its pods take room elsewhere, and its own room goes with it.
                unneeded.add(number)
                room -= own + len(pods)
        self._unneeded_since_s = {
            number: self._unneeded_since_s.get(number, now_s) for number in sorted(unneeded)
        }
