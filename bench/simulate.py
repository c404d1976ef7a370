"""How fast the fluid simulation is, and how its cost grows.

CPU seconds of this process and not wall time, for the machine may be shared; but for the policies side by
side, which are asked of both cores.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from random import Random

from bench.raw import Raw, Sample, cell, table
from bench.spread import Spread
from bench.suite import Context
from tidegate.models import LatencyObjective, Policy, Slo
from tidegate.simulate.estimate import estimate, estimate_many
from tidegate.simulate.world import World
from tidegate.simulate.world.traces import Bin

TITLE = "Fluid simulation"
MINUTES = 3.5
DAY_S = 86_400.0
REPLICAS = (1, 10, 100, 1000)
MINUTES_OF_LOAD = (25, 250, 2500, 25_000)
POLICIES = 500
SLO = Slo(
    availability_percent=99.9,
    latency=(LatencyObjective(route_group="all", routes=("GET /",), percentile=95, threshold_ms=500.0),),
)


def load_of(minutes: int, least_rps: float, most_rps: float) -> list[Bin]:
    """Return a load by the minute that swings between two rates, with some noise."""
    rng = Random(1)  # noqa: S311 - a load, not a secret
    bins = list[Bin]()
    for minute in range(minutes):
        swing = math.sin(minute / 960 * 2 * math.pi) ** 2
        rate = least_rps + (most_rps - least_rps) * swing * (0.9 + 0.2 * rng.random())
        bins.append(Bin(60.0 * minute, 60.0, 60.0 * rate))
    return bins


def policy_of(least: int, most: int, target: int = 60) -> Policy:
    """Return a policy with these bounds."""
    bounds = {"min_replicas": least, "max_replicas": most, "cpu_target_percent": target}
    return Policy.model_validate({"web": {"hpa": bounds}})


def cpu_s(policy: Policy, bins: Sequence[Bin]) -> float:
    """Return the CPU seconds of one estimate."""
    began_s = time.process_time()
    estimate(policy, SLO, World(), bins)
    return time.process_time() - began_s


def measure(context: Context) -> Iterator[Sample]:
    """A day of load by the minute, the cost over replicas and over syncs, then many policies at once."""
    day = load_of(1440, 50, 950)
    sweep = [policy_of(10, 200, 30 + number % 60) for number in range(round(context.dose(POLICIES, 2)))]
    # The first of a process loads the machine code and tries the queues; the policies' processes do so too.
    cpu_s(policy_of(10, 200), day)
    for repetition in range(1, context.repetitions + 1):
        samples: list[Sample] = [{"variant": "day", "cpu_s": cpu_s(policy_of(10, 200), day)}]
        for most in REPLICAS:
            bins = load_of(240, most * 2.0, most * 4.0)
            samples.append({"variant": f"{most} replicas", "cpu_s": cpu_s(policy_of(most, most), bins)})
        for minutes in MINUTES_OF_LOAD[: None if not context.quick else 2]:
            spent_s = cpu_s(policy_of(10, 200), load_of(minutes, 50, 950))
            samples.append({"variant": f"{4 * minutes} syncs", "cpu_s": spent_s})
        os.sched_setaffinity(0, {context.cores.server, context.cores.generator})
        began_s = time.monotonic()
        estimate_many(sweep, SLO, World(), day, processes=2)
        took_s = time.monotonic() - began_s
        os.sched_setaffinity(0, {context.cores.generator})
        samples.append({"variant": f"{len(sweep)} policies", "wall_s": took_s})
        for sample in samples:
            yield {"repetition": repetition, **sample}
        context.say(f"simulate {repetition}/{context.repetitions}: a day in {samples[0]['cpu_s']:.2f} CPU s")


def render(raw: Raw) -> str:
    """The section."""
    days = [sample["cpu_s"] for sample in raw.counted(variant="day")]
    faster = cell(Spread.of(DAY_S / spent_s for spent_s in days), 0)
    rows = [
        (
            variant,
            cell(raw.spread("cpu_s", variant=variant), 3),
            cell(raw.spread("wall_s", variant=variant), 1),
        )
        for variant in raw.variants()
    ]
    return (
        f"A day of load by the minute at 10 to 200 replicas runs {faster} times faster than real time. The "
        "cost over replicas is of 960 syncs, the cost over syncs at 10 to 200 replicas; the policies are a "
        "day each, over two processes.\n\n" + table(("", "CPU seconds", "wall seconds"), rows)
    )
