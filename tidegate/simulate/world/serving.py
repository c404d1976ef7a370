"""Requests, from their arrival to their answer: which pod takes them, and when its CPU has done them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tidegate.simulate.world.chance import chance
from tidegate.simulate.world.cores import Cores
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.recorder import Recorder
from tidegate.simulate.world.totals import Totals


@dataclass(eq=False, slots=True)
class _Asked:
    """A request that a pod is working on, where cores are shared."""

    arrived_s: float
    pod: Pod
    other_s: float


class Serving:
    """The load balancer and the pods behind it.

    Args:
        world: what is assumed.
        seed: of what requests cost and where they go.
        recorder: is told of every request.
        totals: are added to.
        cores: what pods work on.
    """

    def __init__(self, world: World, seed: int, recorder: Recorder, totals: Totals, cores: Cores) -> None:
        self.world, self.recorder, self.totals, self.cores = world, recorder, totals, cores
        self.pods: list[Pod] = []
        self.arrived = 0
        """Requests that came, also those that nobody could take."""
        self._costs, self._balance = chance(seed, "costs"), chance(seed, "balance")
        variance = math.log(1 + world.service.cpu_variation**2)
        self._cost = math.log(world.service.cpu_ms / 1000) - variance / 2, math.sqrt(variance)
        self._open: dict[int, _Asked] = {}

    def request(self, now_s: float) -> None:
        """Serve one request that arrives now."""
        service = self.world.service
        self.arrived += 1
        self.totals.requests += 1
        if not self.pods:
            self.totals.failed += 1
            self.recorder.request(now_s, now_s, 503, None)
            return
        pod = self._chosen()
        cpu_s = self._costs.lognormvariate(*self._cost) * self._cold(pod)
        pod.requests += 1
        self.totals.used_core_s += cpu_s
        other_s = self._costs.expovariate(1000 / service.other_ms) if service.other_ms else 0.0
        if self.cores.shared:
            self._share(now_s, pod, cpu_s, other_s)
        else:
            self._answered(now_s, pod.work(now_s, cpu_s) + other_s, pod)

    def _cold(self, pod: Pod) -> float:
        """Return what a request costs compared with those of a pod that has served many."""
        start = self.world.start
        if start.cold_factor == 1.0:
            return 1.0
        return 1.0 + (start.cold_factor - 1.0) * math.exp(-pod.requests / start.cold_requests)

    def _chosen(self) -> Pod:
        """Return the less busy of two pods taken by chance: Envoy's least request with its two choices."""
        count = len(self.pods)
        if count == 1:
            return self.pods[0]
        first = self.pods[int(self._balance.random() * count)]
        second = self.pods[int(self._balance.random() * count)]
        if self.cores.shared:
            return second if second.waiting < first.waiting else first
        return second if second.free_s < first.free_s else first

    def _answered(self, arrived_s: float, ended_s: float, pod: Pod) -> None:
        if ended_s - arrived_s > self.world.service.timeout_s:
            self.totals.failed += 1
            self.recorder.request(arrived_s, arrived_s + self.world.service.timeout_s, 0, pod.name)
        else:
            self.recorder.request(arrived_s, ended_s, 200, pod.name)

    # Where cores are shared, the end of a request is known only when it comes.

    def _share(self, now_s: float, pod: Pod, cpu_s: float, other_s: float) -> None:
        number = self.totals.requests
        self._open[number] = _Asked(now_s, pod, other_s)
        pod.waiting += 1
        self.cores.passes(pod, now_s, self._then(number, cpu_s))

    def _then(self, number: int, cpu_s: float) -> Callable[[float], None]:
        def work(now_s: float) -> None:
            asked = self._open.get(number)
            if asked is not None:
                self.cores.work(asked.pod, now_s, cpu_s, done)

        def done(now_s: float) -> None:
            asked = self._open.pop(number)
            asked.pod.waiting -= 1
            self._answered(asked.arrived_s, now_s + asked.other_s, asked.pod)

        return work

    def cut(self, pod: Pod, now_s: float) -> None:
        """Let the requests fail that a pod had when it was killed."""
        for number in [number for number, asked in self._open.items() if asked.pod is pod]:
            asked = self._open.pop(number)
            self.totals.failed += 1
            self.recorder.request(asked.arrived_s, now_s, 503, pod.name)

    def unanswered(self) -> Iterator[float]:
        """Yield when each open request's client gives up; those that are still open are failures then."""
        for asked in self._open.values():
            yield asked.arrived_s + self.world.service.timeout_s

    def give_up(self) -> None:
        """Record what is still open as given up."""
        for asked in self._open.values():
            self._answered(asked.arrived_s, math.inf, asked.pod)
        self._open.clear()
