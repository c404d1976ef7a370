"""Who works on which cores: pods by themselves, or all of a node, or of a machine of several nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tidegate.simulate.world.machine import At, Machine, Share
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.quota import Quota

_GOLDEN = 0.6180339887498949
"""Spreads the phases of the pods' periods evenly, whatever their number (Weyl's sequence)."""

Done = Callable[[float], None]


class Cores:
    """The cores of the world.

    Beside the pods there are, on every machine: the system, which starts pods (container runtime, kubelet),
    and the edge, which every request passes (gateway, and a load generator where it runs there too).

    Args:
        world: what is assumed.
        quota: of a pod.
        request_m: their CPU request, which is their weight.
        at: how to be called at a later moment.
    """

    def __init__(self, world: World, quota: Quota, request_m: int, at: At) -> None:
        self._world, self._quota, self._request_m, self._at = world, quota, request_m, at
        self.shared = world.nodes.contention != "none"
        self._machines: dict[int, Machine] = {}
        self._system: dict[int, Share] = {}
        self._edge: dict[int, Share] = {}
        self._pods = 0

    def quota(self) -> Quota:
        """Return the quota of one more pod, with periods of its own."""
        self._pods += 1
        return replace(self._quota, phase_s=self._pods * _GOLDEN % 1.0 * self._quota.period_s)

    def join(self, pod: Pod) -> None:
        """Give a pod that has a node its share of the node's cores."""
        if self.shared:
            pod.share = Share(float(self._request_m), pod.quota)

    def start(self, pod: Pod, now_s: float, done: Callable[[], None]) -> None:
        """Let the system do what starting a pod takes of it, and call `done`."""
        work_s = self._world.start.node_cpu_s
        if self.shared and work_s:
            number = self._number(pod)
            self._machine(number).give(self._system[number], now_s, work_s, done)
        else:
            done()

    def passes(self, pod: Pod, now_s: float, done: Done) -> None:
        """Let the edge bring one request to `pod`, and call `done` with the moment."""
        work_s = self._world.service.edge_cpu_ms / 1000
        if not work_s:
            done(now_s)
            return
        number = self._number(pod)
        machine = self._machine(number)
        machine.give(self._edge[number], now_s, work_s, lambda: done(machine.now_s))

    def work(self, pod: Pod, now_s: float, cpu_s: float, done: Done) -> None:
        """Let a pod with a share work, and call `done` with the moment."""
        machine = self._machine(self._number(pod))
        if pod.share is not None:
            machine.give(pod.share, now_s, cpu_s, lambda: done(machine.now_s))

    def drop(self, pod: Pod, now_s: float) -> None:
        """Forget a pod's work: it was killed."""
        if pod.share is not None:
            self._machine(self._number(pod)).drop(pod.share, now_s)

    def _number(self, pod: Pod) -> int:
        return pod.node if pod.node is not None and self._world.nodes.contention == "node" else -1

    def _machine(self, number: int) -> Machine:
        nodes = self._world.nodes
        if number not in self._machines:
            cores = nodes.cpu_m / 1000 if nodes.contention == "node" else nodes.machine_cores
            self._machines[number] = Machine(cores, self._at)
            for shares in (self._system, self._edge):
                shares[number] = Share(nodes.system_weight_m, Quota(cores, cores, 1.0))
        return self._machines[number]
