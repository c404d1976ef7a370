"""How long requests take in a fluid: for a sample of them, the backlog, the queue and the service.

The backlog's wait is the fluid's own. Chance adds a queue even where there is capacity: a request goes to the
shorter of two pods taken by chance, where k or more are waiting with probability r**(2**(k+1) - 2) at the
utilization r (Mitzenmacher 2001, the power of two choices, for exponential service and many pods).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tidegate.simulate.world.fluid import Flow
from tidegate.simulate.world.parameters import World

SAMPLE = 20_000
"""Requests in a sample: its p95 is good to about one percent in rank."""
_FULL = 0.999


def sampled_latency_s(
    flow: Flow, world: World, speed: float, *, seed: int = 1, count: int = SAMPLE
) -> NDArray[np.float64]:
    """Return the latency of `count` requests, seconds, drawn from all that arrived; empty without any.

    Args:
        flow: what flowed.
        world: what a request costs.
        speed: cores that a pod can use.
        seed: of the draw.
        count: size of the sample.
    """
    rng = np.random.Generator(np.random.PCG64([seed, 1]))
    start, end = np.array(flow.start_s), np.array(flow.end_s)
    rate, pods = np.array(flow.rate), np.array(flow.pods, dtype=np.float64)
    weight = rate * (end - start)
    if not weight.sum() > 0:
        return np.empty(0)
    service = world.service
    cpu_s = service.cpu_ms / 1000
    piece = rng.choice(len(weight), size=count, p=weight / weight.sum())
    able = np.maximum(pods, 1e-9) * speed
    wanted = rate * cpu_s
    after_s = rng.random(count) * (end - start)[piece]
    backlog = np.maximum(0.0, np.array(flow.backlog_s)[piece] + (wanted - able)[piece] * after_s)
    variance = math.log(1 + service.cpu_variation**2)
    own = cpu_s / speed * rng.lognormal(-variance / 2, math.sqrt(variance), count)
    other = rng.exponential(service.other_ms / 1000, count) if service.other_ms else 0.0
    full = np.minimum(_FULL, (wanted / able)[piece])
    chance = rng.random(count)
    with np.errstate(divide="ignore"):
        deep = np.log(chance) / np.log(full)
    # The most k for which 2**(k+1) - 2 is below `deep` are before this request.
    ahead = np.clip(np.ceil(np.log2(deep + 2.0)) - 2.0, 0.0, 20.0)
    queue = np.maximum(0.0, ahead - rng.random(count) * (ahead > 0)) * cpu_s / speed
    waits = backlog / able[piece]
    return np.minimum(np.where(waits > 0, waits, queue) + own + other, service.timeout_s)
