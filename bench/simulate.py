"""Measure how fast the fluid simulation is, and how its cost grows.

`python bench/simulate.py` prints JSON: times real time for one day of a load by the minute at 10 to 200
replicas, CPU seconds by replicas and by syncs over three decades, and the wall time of a number of policies
side by side. CPU seconds of this process, not wall time, except for the last, for the machine may be shared.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from random import Random

from tidegate.models import LatencyObjective, Policy, Slo
from tidegate.simulate.estimate import estimate, estimate_many
from tidegate.simulate.world import World
from tidegate.simulate.world.traces import Bin

REPETITIONS = 5
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
    """Return the least CPU seconds of one estimate over some repetitions."""
    found = list[float]()
    for _ in range(REPETITIONS):
        began_s = time.process_time()
        estimate(policy, SLO, World(), bins)
        found.append(time.process_time() - began_s)
    return min(found)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="Measure the fluid simulation.")
    options.add_argument("--policies", type=int, default=500)
    options.add_argument("--processes", type=int, default=2)
    asked = options.parse_args()
    day = load_of(1440, 50, 950)
    day_s = cpu_s(policy_of(10, 200), day)
    sweep = [policy_of(10, 200, 30 + number % 60) for number in range(asked.policies)]
    began_s = time.monotonic()
    estimate_many(sweep, SLO, World(), day, processes=asked.processes)
    wall_s = time.monotonic() - began_s
    print(
        json.dumps(
            {
                "day_cpu_s": day_s,
                "times_real_time": 86_400 / day_s,
                "cpu_s_by_replicas": {
                    most: cpu_s(policy_of(most, most), load_of(240, most * 2.0, most * 4.0))
                    for most in (1, 10, 100, 1000)
                },
                "cpu_s_by_syncs": {
                    minutes * 4: cpu_s(policy_of(10, 200), load_of(minutes, 50, 950))
                    for minutes in (25, 250, 2500, 25_000)
                },
                "policies": asked.policies,
                "processes": asked.processes,
                "policies_wall_s": wall_s,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
