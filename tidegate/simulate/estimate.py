"""What policies would come to, without a Run: the fluid world, many policies, several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np

from tidegate.models import LatencyObjective, Policy, Slo
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.policy import quota_of
from tidegate.simulate.world.totals import Totals
from tidegate.simulate.world.traces import Bin

_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Met:
    """One latency objective, estimated."""

    objective: LatencyObjective
    measured_ms: float
    held: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """One policy's result. Latencies are those of a sample and know one kind of request only."""

    totals: Totals
    latency: tuple[Met, ...]
    availability_percent: float
    """Share of requests whose client did not give up, percent."""
    core_hours: float
    money: float

    def holds(self, slo: Slo) -> bool:
        """Whether the objectives would be kept."""
        return self.availability_percent >= slo.availability_percent and all(one.held for one in self.latency)


def binned(bins: Iterable[Bin], width_s: float = 1.0) -> list[Bin]:
    """Return single arrivals as counts in bins of `width_s`; bins that have a width stay as they are."""
    kept, counts = list[Bin](), dict[int, float]()
    for one in bins:
        if one.width_s > 0:
            kept.append(one)
        else:
            place = int(one.start_s // width_s)
            counts[place] = counts.get(place, 0.0) + one.count
    return sorted(
        [*kept, *(Bin(place * width_s, width_s, count) for place, count in counts.items())],
        key=lambda one: one.start_s,
    )


def estimate(
    policy: Policy, slo: Slo, world: World, bins: Sequence[Bin], *, seed: int = 1, scale: float = 1.0
) -> Estimate:
    """Return what `policy` would come to under the load in `bins`, which need a width.

    Raises:
        ValueError: a bin has no width; see `binned`.
        TidegateError: the controller's version is not known.
    """
    # Compiled code, whose compiler takes most of a second to import: only who estimates waits for it.
    from tidegate.simulate.world.fluid import flow_of
    from tidegate.simulate.world.latency import sampled_latency_s

    totals, flow = flow_of(policy, world, bins, seed=seed, scale=scale)
    latency_s = np.sort(sampled_latency_s(flow, world, quota_of(policy, world), seed=seed))
    given_up = float(np.mean(latency_s >= world.service.timeout_s)) if len(latency_s) else 0.0
    totals.failed = round(totals.requests * given_up)
    met = [_met(objective, latency_s) for objective in slo.latency] if len(latency_s) else []
    core_hours = totals.replica_s * policy.web.cpu_request_m / 1000 / _HOUR_S
    money = core_hours * world.prices.core_hour + totals.node_s / _HOUR_S * world.prices.node_hour
    return Estimate(totals, tuple(met), 100 * (1 - given_up), core_hours, money)


def estimate_many(
    policies: Sequence[Policy],
    slo: Slo,
    world: World,
    bins: Sequence[Bin],
    *,
    seed: int = 1,
    scale: float = 1.0,
    processes: int = 1,
) -> list[Estimate]:
    """Return the estimate of each policy, in their order; the number of processes changes nothing but time.

    Raises:
        ValueError: a bin has no width; see `binned`.
        TidegateError: the controller's version is not known.
    """
    one = partial(estimate, slo=slo, world=world, bins=bins, seed=seed, scale=scale)
    if processes <= 1:
        return [one(policy) for policy in policies]
    # Spawned, not forked: a fork copies the locks of whatever threads the caller has.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(one, policies, chunksize=max(1, len(policies) // (32 * processes))))


def _met(objective: LatencyObjective, ordered_s: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Met:
    rank = max(1, int(np.ceil(objective.percentile / 100 * len(ordered_s))))
    measured_ms = float(ordered_s[rank - 1]) * 1000
    return Met(objective, measured_ms, measured_ms <= objective.threshold_ms)
