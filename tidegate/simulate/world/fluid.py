"""The same world as a fluid: load flows instead of arriving one by one.

For a search over many policies. All serving pods share the load equally and hold one backlog together; what
a request then waits is drawn for a sample of requests afterwards (see `latency`). Pods' lives, kubelet's
samples, metrics-server's pairs and the autoscaler's decisions are those of `engine`, on arrays of pods. Nodes
are taken to have room for every pod.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tidegate.errors import TidegateError
from tidegate.models import Policy
from tidegate.simulate.hpa.census import Census
from tidegate.simulate.hpa.spec import NANOS
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.policy import controller_of_world, quota_of, spec_of_policy
from tidegate.simulate.world.steady import SteadyDecisions
from tidegate.simulate.world.swarm import Floats, Pods
from tidegate.simulate.world.totals import LEAD_S, Totals
from tidegate.simulate.world.traces import Bin

_YOUNG_S = 10.0


@dataclass
class Flow:
    """What flowed, one entry for each piece of time in which nothing changed."""

    start_s: list[float] = field(default_factory=list[float])
    end_s: list[float] = field(default_factory=list[float])
    rate: list[float] = field(default_factory=list[float])
    """Requests a second."""
    backlog_s: list[float] = field(default_factory=list[float])
    """CPU seconds waiting when the piece began."""
    pods: list[int] = field(default_factory=list[int])
    """Pods that served."""


class _Fluid:
    def __init__(self, policy: Policy, world: World, bins: Sequence[Bin], seed: int, scale: float) -> None:
        self.policy, self.world = policy, world
        self.decisions = SteadyDecisions(spec_of_policy(policy), controller_of_world(world.controller))
        self.rng = np.random.Generator(np.random.PCG64(seed))
        self.speed = quota_of(policy, world).speed
        self.request_m = policy.web.cpu_request_m
        self.cpu_s = world.service.cpu_ms / 1000
        self.replicas = policy.web.hpa.min_replicas
        self.totals = Totals(length_s=max(one.start_s + one.width_s for one in bins))
        self.flow = Flow()
        self.now_s = -LEAD_S
        self.backlog_s = self.used_s = 0.0
        self.serving = self.replicas
        self.changes: list[tuple[float, int]] = []
        self._calm = False
        # The use of a serving pod is known so far back: a sample may be that old, and a scrape that late.
        self._kept_s = 2 * (world.pipeline.sample_most_s + world.pipeline.resolution_s)
        self._past = np.zeros((2, 1024))
        self._past[0, 0], self._noted = self.now_s, 1
        self._set_rates(bins, scale)
        self.pods = self._new(self.replicas, settled=True)

    def _set_rates(self, bins: Sequence[Bin], scale: float) -> None:
        """Prepare the rates and the moments at which they change, with gaps as no load."""
        ends, rates, at_s = [0.0], [0.0], 0.0
        for one in bins:
            if one.start_s > at_s:
                ends.append(one.start_s)
                rates.append(0.0)
            at_s = one.start_s + one.width_s
            ends.append(at_s)
            rates.append(one.count * scale / one.width_s)
        self._ends, self._rates, self._bin = [*ends, math.inf], [*rates, 0.0], 0

    def _new(self, count: int, *, settled: bool = False) -> Pods:
        self._calm = False
        start, pipeline = self.world.start, self.world.pipeline
        never, zero = np.full(count, np.nan), np.zeros(count)
        if settled:
            scheduled = started = ready = serving = np.full(count, self.now_s)
        else:
            variance = math.log(1 + start.variation**2)
            spread = self.rng.lognormal(-variance / 2, math.sqrt(variance), (2, count))
            scheduled = np.full(count, self.now_s + start.create_s + start.schedule_s)
            started = scheduled + start.start_s * spread[0]
            ready = started + np.maximum(start.cpu_s / self.speed, start.ready_s * spread[1])
            serving = ready + start.endpoint_s
            for moment_s in serving.tolist():
                heapq.heappush(self.changes, (moment_s, 1))
        gaps = self.rng.uniform(pipeline.sample_least_s, pipeline.sample_most_s, count)
        return Pods(
            scheduled,
            started,
            ready,
            serving,
            never.copy(),
            started + gaps,
            never.copy(),
            never.copy(),
            zero,
            zero.copy(),
            never,
        )

    def run_to(self, end_s: float) -> None:
        """Let the load flow until `end_s`."""
        flow, speed, cpu_s = self.flow, self.speed, self.cpu_s
        while self.now_s < end_s:
            now_s = self.now_s
            while self._ends[self._bin] <= now_s:
                self._bin += 1
            rate = self._rates[self._bin]
            until_s = min(end_s, self._ends[self._bin], self.changes[0][0] if self.changes else math.inf)
            length_s = until_s - now_s
            if length_s > 0:
                count = self.serving
                able, wanted = count * speed, rate * cpu_s
                done = min(able * length_s, self.backlog_s + wanted * length_s)
                flow.start_s.append(now_s)
                flow.end_s.append(until_s)
                flow.rate.append(rate)
                flow.backlog_s.append(self.backlog_s)
                flow.pods.append(count)
                self._note_use(now_s, until_s, count, able, wanted)
                self.backlog_s = max(0.0, self.backlog_s + wanted * length_s - done)
                if now_s >= 0.0:
                    self.totals.used_core_s += done
            while self.changes and self.changes[0][0] <= until_s:
                self.serving += heapq.heappop(self.changes)[1]
            self.now_s = until_s

    def _note_use(self, now_s: float, until_s: float, count: int, able: float, wanted: float) -> None:
        """Note how the use of a serving pod grows: at full speed while there is a backlog, then as asked."""
        if count and self.backlog_s > 0.0:
            empty_s = now_s + self.backlog_s / (able - wanted) if able > wanted else math.inf
            full_s = min(until_s, empty_s) - now_s
            self.used_s += self.speed * full_s
            if now_s + full_s < until_s:
                self._note(now_s + full_s)
                self.used_s += wanted / count * (until_s - now_s - full_s)
        elif count:
            self.used_s += min(self.speed, wanted / count) * (until_s - now_s)
        self._note(until_s)

    def _note(self, t_s: float) -> None:
        """Note what a serving pod has used by `t_s`."""
        past, noted = self._past, self._noted
        if noted == past.shape[1]:
            self._past = past = np.concatenate((past, np.zeros_like(past)), axis=1)
        past[0, noted], past[1, noted] = t_s, self.used_s
        self._noted = noted + 1

    def scrape(self) -> None:
        """Take the kubelets' newest samples into metrics-server."""
        pods, pipeline, now_s = self.pods, self.world.pipeline, self.now_s
        next_sample = pods.next_sample
        fresh = due = (next_sample <= now_s).nonzero()[0]
        if not len(fresh):
            return
        least_s, spread_s = pipeline.sample_least_s, pipeline.sample_most_s - pipeline.sample_least_s
        sample = moments = next_sample[fresh]
        while True:
            later = moments + (least_s + spread_s * self.rng.random(len(due)))
            next_sample[due] = later
            again = (later <= now_s).nonzero()[0]
            if not len(again):
                break
            due, moments = due[again], later[again]
            sample[fresh.searchsorted(due)] = moments
        past_t: Floats = self._past[0, : self._noted]
        past_used: Floats = self._past[1, : self._noted]
        before, used_before = pods.after[fresh], pods.used_after[fresh]
        shared = np.interp(sample, past_t, past_used)
        used = shared + pods.offset[fresh]
        if not self._calm:
            self._settle(past_t, past_used)
            started = pods.started[fresh]
            age = sample - started
            young = np.isnan(before) & (age >= _YOUNG_S) & (age < pipeline.resolution_s)
            before[young], used_before[young] = started[young], 0.0
            burnt = np.minimum(self.world.start.cpu_s, self.speed * age)
            used = np.where(sample > pods.serving[fresh], shared + pods.offset[fresh], burnt)
        pods.before[fresh], pods.after[fresh] = before, sample
        pods.used_before[fresh], pods.used_after[fresh] = used_before, used
        # Whole milli-cores, rounded up as the API's quantities are.
        pods.milli[fresh] = np.ceil(np.rint((used - used_before) / (sample - before) * 1e6) / 1e3)
        if past_t[0] < now_s - 2 * self._kept_s:
            cut = int(past_t.searchsorted(now_s - self._kept_s)) - 1
            self._noted -= cut
            self._past[:, : self._noted] = self._past[:, cut : cut + self._noted].copy()

    def _settle(self, past_t: Floats, past_used: Floats) -> None:
        """Note for pods that have begun to serve what their use is beside that of any serving pod."""
        pods = self.pods
        unset = np.isnan(pods.offset) & (pods.serving <= self.now_s)
        if unset.any():
            served = np.interp(pods.serving[unset], past_t, past_used)
            pods.offset[unset] = self.world.start.cpu_s - served

    def sync(self) -> None:
        """Let the autoscaler decide."""
        before, now_ns = self.replicas, round(self.now_s * NANOS)
        self.replicas = self.decisions.replicas(before, self._census(), now_ns)
        if self.replicas != before and 0 <= self.now_s <= self.totals.length_s:
            self.totals.rescales += 1
        self.totals.most_replicas = max(self.totals.most_replicas, self.replicas)
        if self.replicas > before:
            self.pods = self.pods.join(self._new(self.replicas - before))
        elif self.replicas < before:
            self._remove(before - self.replicas)

    def _census(self) -> Census | None:
        """Return the pods' sums as the controller counts them (see `groups`), times at whole seconds."""
        pods = self.pods
        count = ready = len(pods.started)
        milli, missing = pods.milli, 0
        if not self._calm:
            flags, now_s = self.world.controller, self.now_s
            started, unpaired = pods.started <= now_s, np.isnan(pods.before)
            settled = (np.floor(pods.scheduled) + flags.cpu_initialization_s <= now_s) | (
                np.floor(pods.after) >= np.floor(pods.ready) + (pods.after - pods.before)
            )
            milli = milli[started & ~unpaired & (pods.ready <= now_s) & settled]
            ready, missing = len(milli), int(np.count_nonzero(started & unpaired))
            # Once counted, always counted: with all pods counted and serving, only new ones change that.
            self._calm = ready == count and not bool(np.isnan(pods.offset).any())
        if not ready:
            return None
        unready, request = count - ready - missing, self.request_m
        return Census(
            ready=ready,
            unready=unready,
            missing=missing,
            ignored=0,
            measured=ready,
            total=int(np.add.reduce(milli)),
            requested=ready * request,
            requested_by_missing=(request,) * missing,
            requested_by_unready=unready * request,
        )

    def _remove(self, count: int) -> None:
        """Tell the pods to go that the ReplicaSet would choose: not Ready first, then the youngest."""
        pods = self.pods
        is_ready = pods.ready <= self.now_s
        order = np.lexsort((-pods.ready, is_ready))
        going = order[:count]
        leaves_s = self.now_s + self.world.start.create_s + self.world.start.endpoint_s
        for serving_s in pods.serving[going].tolist():
            heapq.heappush(self.changes, (max(leaves_s, serving_s), -1))
        which = np.ones(len(pods.started), dtype=np.bool_)
        which[going] = False
        self.pods = pods.keep(which)


def _require_flowing(world: World) -> None:
    """Refuse what would otherwise be left out in silence."""
    asked = {
        "nodes.contention": world.nodes.contention != "none",
        "start.cold_factor": world.start.cold_factor != 1.0,
        "service.idle_cpu_m": world.service.idle_cpu_m != 0.0,
        "requests_metric": world.requests_metric is not None,
        "keda": world.keda is not None,
        "rollouts": bool(world.rollouts),
    }
    found = [name for name, there in asked.items() if there]
    if found:
        raise TidegateError(
            f"a fluid has no {', '.join(found)}",
            where="world",
            cure="leave it out, or simulate without --fluid",
        )


def flow_of(
    policy: Policy, world: World, bins: Sequence[Bin], *, seed: int = 1, scale: float = 1.0
) -> tuple[Totals, Flow]:
    """Run `policy` in `world` against the load in `bins` as a fluid.

    Returns:
        The sums of `engine.simulate`, without failures, and what flowed when.

    Raises:
        ValueError: a bin has no width; single arrivals are for `engine.simulate`.
        TidegateError: the controller's version is not known, or the world has what does not flow.
    """
    _require_flowing(world)
    if any(one.width_s <= 0 for one in bins):
        raise ValueError("a fluid has a rate: bins need a width")
    run = _Fluid(policy, world, bins, seed, scale)
    sync_s, resolution_s = world.controller.sync_s, world.pipeline.resolution_s
    next_scrape_s = run.now_s + float(run.rng.uniform(0.0, resolution_s))
    next_sync_s = run.now_s + sync_s + float(run.rng.uniform(0.0, sync_s))
    length_s = run.totals.length_s
    while min(next_scrape_s, next_sync_s) <= length_s:
        if next_scrape_s + world.pipeline.scrape_s <= next_sync_s:
            run.run_to(next_scrape_s)
            run.scrape()
            next_scrape_s += resolution_s
        else:
            run.run_to(next_sync_s)
            before_s, replicas = run.now_s, run.replicas
            run.sync()
            next_sync_s += sync_s
            spent_s = min(next_sync_s, length_s) - max(before_s, 0.0)
            run.totals.replica_s += max(0.0, spent_s) * run.replicas
            run.totals.most_replicas = max(run.totals.most_replicas, replicas)
    run.run_to(length_s)
    # Nothing was counted before the first sync, which comes while there is no load.
    run.totals.requests = round(sum(one.count for one in bins) * scale)
    run.totals.node_s = world.nodes.least * length_s
    return run.totals, run.flow
