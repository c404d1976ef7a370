"""The same world as a fluid: load flows instead of arriving one by one.

For a search over many policies. All serving pods share the load equally and hold one backlog together; what
a request then waits is drawn for a sample of requests afterwards (see `latency`). Pods' lives, kubelet's
samples, metrics-server's pairs and the autoscaler's decisions are those of `engine`, on arrays of pods. Nodes
are taken to have room for every pod.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tidegate.errors import TidegateError
from tidegate.models import Policy
from tidegate.simulate.hpa.census import Census
from tidegate.simulate.hpa.spec import NANOS
from tidegate.simulate.world import swarm
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.policy import controller_of_world, quota_of, spec_of_policy
from tidegate.simulate.world.steady import SteadyDecisions
from tidegate.simulate.world.stream import (
    BACKLOG_S,
    BIN,
    CHANGE,
    CLOCK_SIZE,
    DONE,
    DRAWN,
    END_S,
    FLOWED,
    NOTED,
    NOW,
    PIECE_ROWS,
    PLACE_SIZE,
    PODS,
    RATE,
    SCRAPE,
    SERVE,
    START_S,
    flow_to,
    run_to_sync,
)
from tidegate.simulate.world.swarm import Floats, Pods
from tidegate.simulate.world.totals import LEAD_S, Totals
from tidegate.simulate.world.traces import Bin

_GAPS = 1 << 14
"""Times between samples that are drawn at once."""


class Flow:
    """What flowed, one entry for each piece of time in which nothing changed.

    Attributes:
        start_s: its begin, seconds.
        end_s: its end, seconds.
        rate: requests a second.
        backlog_s: CPU seconds waiting when it began.
        pods: how many served.
    """

    def __init__(self, pieces: Floats) -> None:
        self.start_s, self.end_s = pieces[START_S], pieces[END_S]
        self.rate, self.backlog_s, self.pods = pieces[RATE], pieces[BACKLOG_S], pieces[PODS]


class _Fluid:
    def __init__(self, policy: Policy, world: World, bins: Sequence[Bin], seed: int, scale: float) -> None:
        self.world = world
        self.decisions = SteadyDecisions(spec_of_policy(policy), controller_of_world(world.controller))
        self.rng = np.random.Generator(np.random.PCG64(seed))
        self.speed = quota_of(policy, world).speed
        self.request_m = policy.web.cpu_request_m
        self.cpu_s = world.service.cpu_ms / 1000
        self.replicas = policy.web.hpa.min_replicas
        self.totals = Totals(length_s=max(one.start_s + one.width_s for one in bins))
        self.clock, self.place = np.zeros(CLOCK_SIZE), np.zeros(PLACE_SIZE, dtype=np.int64)
        self.clock[NOW] = -LEAD_S
        self.place[SERVE] = self.replicas
        self.load = _load_of(bins, scale)
        self.changes = np.array([[math.inf], [0.0]])
        self._calm = False
        pipeline = world.pipeline
        # A sample may be that old, and a scrape that late.
        self._kept_s = 2 * (pipeline.sample_most_s + pipeline.resolution_s)
        # The past begins with nothing used.
        self._pieces, self._past = np.zeros((PIECE_ROWS, 1024)), np.zeros((2, 2048))
        self._past[0, 0], self.place[NOTED] = -LEAD_S, 1
        self._gaps = np.zeros(0)
        # Samples a pod may have from one scrape to the last before a sync, and for each scrape one that is
        # drawn and not yet due.
        between_s = world.controller.sync_s + pipeline.resolution_s
        scrapes = int(between_s / pipeline.resolution_s)
        self._gaps_each = 2 + int(between_s / pipeline.sample_least_s) + scrapes
        self.pods = self._new(self.replicas, settled=True)

    @property
    def now_s(self) -> float:
        """The time, seconds since the load began."""
        return float(self.clock[NOW])

    def _new(self, count: int, *, settled: bool = False) -> Pods:
        self._calm = False
        start, now_s = self.world.start, self.now_s
        table = np.full((swarm.ROWS, count), np.nan)
        if settled:
            table[[swarm.SCHEDULED, swarm.STARTED, swarm.READY, swarm.SERVING]] = now_s
        else:
            variance = math.log(1 + start.variation**2)
            spread = self.rng.lognormal(-variance / 2, math.sqrt(variance), (2, count))
            table[swarm.SCHEDULED] = now_s + start.create_s + start.schedule_s
            table[swarm.STARTED] = table[swarm.SCHEDULED] + start.start_s * spread[0]
            busy_s = np.maximum(start.cpu_s / self.speed, start.ready_s * spread[1])
            table[swarm.READY] = table[swarm.STARTED] + busy_s
            table[swarm.SERVING] = table[swarm.READY] + start.endpoint_s
            self._change(table[swarm.SERVING], 1)
        self._draw(count)
        drawn = self.place[DRAWN]
        table[swarm.NEXT] = table[swarm.STARTED] + self._gaps[drawn : drawn + count]
        self.place[DRAWN] += count
        table[swarm.USED] = 0.0
        return Pods(table)

    def _change(self, moments_s: Floats, by: int) -> None:
        """Note that pods begin (1) or cease (-1) to serve."""
        ahead = self.changes[:, self.place[CHANGE] :]
        both = np.concatenate((ahead, [moments_s, np.full(len(moments_s), by)]), axis=1)
        self.changes = np.ascontiguousarray(both[:, np.argsort(both[0], kind="stable")])
        self.place[CHANGE] = 0

    def _draw(self, count: int) -> None:
        """See that so many times between samples are there."""
        if self.place[DRAWN] + count > len(self._gaps):
            pipeline = self.world.pipeline
            size = max(count, _GAPS)
            self._gaps = self.rng.uniform(pipeline.sample_least_s, pipeline.sample_most_s, size)
            self.place[DRAWN] = 0

    def _make_room(self) -> None:
        """See that the arrays hold what one more sync, and the load's end, can add."""
        self._draw(len(self.pods) * self._gaps_each)
        place = self.place
        # Each rate, each change, each scrape and sync ends a piece, and each piece is noted twice at most.
        more = self.load.shape[1] - place[BIN] + self.changes.shape[1] - place[CHANGE] + 2 * self._gaps_each
        self._pieces = _roomy(self._pieces, place[FLOWED] + more)
        self._past = _roomy(self._past, place[NOTED] + 2 * more)

    def run_to_sync(self, sync_at_s: float) -> float:
        """Run until a sync; return what all pods use together, milli-cores, NaN while one has no number."""
        self._make_room()
        world = self.world
        return run_to_sync(
            sync_at_s,
            self.totals.length_s,
            self.clock,
            self.place,
            self.load,
            self.changes,
            self._pieces,
            self._past,
            self.pods.table,
            self._gaps,
            self.speed,
            self.cpu_s,
            world.start.cpu_s,
            world.pipeline.resolution_s,
            world.pipeline.scrape_s,
            self._kept_s,
        )

    def run_out(self) -> Flow:
        """Let the load flow to its end; return what flowed."""
        self._make_room()
        end_s = self.totals.length_s
        flow_to(
            end_s,
            self.clock,
            self.place,
            self.load,
            self.changes,
            self._pieces,
            self._past,
            self.speed,
            self.cpu_s,
        )
        self.totals.used_core_s = float(self.clock[DONE])
        return Flow(self._pieces[:, : self.place[FLOWED]])

    def sync(self, total_milli: float) -> None:
        """Let the autoscaler decide, the pods using `total_milli` together."""
        before, now_ns = self.replicas, round(self.now_s * NANOS)
        if not self._calm or not self.decisions.keep(
            before, int(total_milli), before * self.request_m, now_ns
        ):
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
        pods, flags, now_s = self.pods, self.world.controller, self.now_s
        before, after, ready_s = pods.row(swarm.BEFORE), pods.row(swarm.AFTER), pods.row(swarm.READY)
        started, unpaired = pods.row(swarm.STARTED) <= now_s, np.isnan(before)
        settled = (np.floor(pods.row(swarm.SCHEDULED)) + flags.cpu_initialization_s <= now_s) | (
            np.floor(after) >= np.floor(ready_s) + (after - before)
        )
        milli = pods.row(swarm.MILLI)[started & ~unpaired & (ready_s <= now_s) & settled]
        count, ready, missing = len(pods), len(milli), int(np.count_nonzero(started & unpaired))
        # Once counted, always counted: with all pods counted and serving, only new ones change that.
        self._calm = ready == count and not bool(np.isnan(pods.row(swarm.OFFSET)).any())
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
        pods, ready_s = self.pods, self.pods.row(swarm.READY)
        going = np.lexsort((-ready_s, ready_s <= self.now_s))[:count]
        leaves_s = self.now_s + self.world.start.create_s + self.world.start.endpoint_s
        self._change(np.maximum(leaves_s, pods.row(swarm.SERVING)[going]), -1)
        which = np.ones(len(pods), dtype=np.bool_)
        which[going] = False
        self.pods = pods.keep(which)


def _roomy(table: Floats, columns: int) -> Floats:
    """Return `table` with at least so many columns: with twice as many as are asked for, if it has fewer."""
    rows, there = table.shape
    return (
        table if columns <= there else np.concatenate((table, np.zeros((rows, 2 * columns - there))), axis=1)
    )


def _load_of(bins: Sequence[Bin], scale: float) -> Floats:
    """Return when each rate ends and the rate, with gaps as no load."""
    ends, rates, at_s = [0.0], [0.0], 0.0
    for one in bins:
        if one.start_s > at_s:
            ends.append(one.start_s)
            rates.append(0.0)
        at_s = one.start_s + one.width_s
        ends.append(at_s)
        rates.append(one.count * scale / one.width_s)
    return np.array([[*ends, math.inf], [*rates, 0.0]])


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
    sync_s, length_s = world.controller.sync_s, run.totals.length_s
    run.clock[SCRAPE] = run.now_s + float(run.rng.uniform(0.0, world.pipeline.resolution_s))
    next_sync_s = run.now_s + sync_s + float(run.rng.uniform(0.0, sync_s))
    while next_sync_s <= length_s:
        total_milli = run.run_to_sync(next_sync_s)
        run.sync(total_milli)
        # Nothing was counted before the first sync, which comes while there is no load.
        spent_s = min(next_sync_s + sync_s, length_s) - max(next_sync_s, 0.0)
        run.totals.replica_s += max(0.0, spent_s) * run.replicas
        next_sync_s += sync_s
    flow = run.run_out()
    run.totals.requests = round(sum(one.count for one in bins) * scale)
    run.totals.node_s = world.nodes.least * length_s
    return run.totals, flow
