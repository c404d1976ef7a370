"""How long requests take in a fluid: for a sample of them, the backlog, the queue and the service.

The backlog's wait is the fluid's own. Where there is capacity, chance makes queues all the same, and a CPU
limit holds pods back within its periods: what comes of both at some levels of load is tried once, on a few
pods of the exact world, and drawn from.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tidegate.simulate.world.chance import chance
from tidegate.simulate.world.fluid import Flow
from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.quota import Quota

SAMPLE = 20_000
"""Requests in a sample: its p95 is good to about one percent in rank."""
_LEVELS = (0.0, 0.1, 0.25, 0.4, 0.55, 0.7, 0.8, 0.9, 0.97)
"""Used part of what the pods can do, at which queues are tried."""
_PODS, _TRIED, _SETTLING = 6, 1200, 200


def sampled_latency_s(
    flow: Flow, world: World, quota: Quota, *, seed: int = 1, count: int = SAMPLE
) -> NDArray[np.float64]:
    """Return the latency of `count` requests, seconds, drawn from all that arrived; empty without any.

    Args:
        flow: what flowed.
        world: what a request costs.
        quota: what a pod's CPU can do.
        seed: of the draw.
        count: size of the sample.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    start, end, rate, pods = flow.start_s, flow.end_s, flow.rate, flow.pods
    weight = rate * (end - start)
    if not weight.sum() > 0:
        return np.empty(0)
    service = world.service
    cpu_s, speed = service.cpu_ms / 1000, quota.speed
    piece = rng.choice(len(weight), size=count, p=weight / weight.sum())
    able = np.maximum(pods, 1e-9) * speed
    wanted = rate * cpu_s
    after_s = rng.random(count) * (end - start)[piece]
    backlog = np.maximum(0.0, flow.backlog_s[piece] + (wanted - able)[piece] * after_s)
    variance = math.log(1 + service.cpu_variation**2)
    own = cpu_s / speed * rng.lognormal(-variance / 2, math.sqrt(variance), count)
    other = rng.exponential(service.other_ms / 1000, count) if service.other_ms else 0.0
    # Between two levels, one or the other: the nearer, the likelier.
    used = np.minimum((wanted / able)[piece], _LEVELS[-1])
    place = np.asarray(np.interp(used, _LEVELS, np.arange(len(_LEVELS))), dtype=np.float64)
    level = (place + rng.random(count)).astype(np.intp)
    table = _tried(service.cpu_ms, service.cpu_variation, quota)
    queued = table[np.minimum(level, len(_LEVELS) - 1), rng.integers(_TRIED, size=count)]
    waits = backlog / able[piece]
    return np.minimum(np.where(waits > 0, waits + own, queued) + other, service.timeout_s)


@lru_cache(maxsize=64)
def _tried(cpu_ms: float, variation: float, quota: Quota) -> NDArray[np.float64]:
    """Return for each level the time from arrival until the CPU is done, seconds, of some requests."""
    rng = chance(1, "queues")
    mean_s, variance = cpu_ms / 1000, math.log(1 + variation**2)
    middle, spread = math.log(mean_s) - variance / 2, math.sqrt(variance)
    found = list[list[float]]()
    for level in _LEVELS:
        period_s = quota.period_s
        pods = [
            Pod("", 0.0, Quota(quota.cores, quota.quota_s, period_s, number / _PODS * period_s))
            for number in range(_PODS)
        ]
        times, now_s = list[float](), 0.0
        rate = max(level, 1e-6) * quota.speed * _PODS / mean_s
        for _ in range(_SETTLING + _TRIED):
            now_s += rng.expovariate(rate)
            one, other = pods[int(rng.random() * _PODS)], pods[int(rng.random() * _PODS)]
            pod = other if other.free_s < one.free_s else one
            times.append(pod.work(now_s, rng.lognormvariate(middle, spread)) - now_s)
        found.append(times[_SETTLING:])
    return np.array(found)
