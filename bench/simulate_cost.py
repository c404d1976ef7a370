"""Measure how fast the fluid simulation is, and how its cost grows.

`python -m bench.simulate_cost` prints JSON: times real time for one day of a load by the minute at 10 to 200
replicas, CPU seconds by replicas and by syncs over three decades, and wall and CPU time of a number of
policies side by side. CPU seconds of this process, not wall time, where the machine may be shared.

`--plot docs/simulate-cost.svg` draws the cost by replicas and by syncs, as measured, on logarithmic axes.
"""

from __future__ import annotations

import argparse
import json
import math
import resource
import time
from collections.abc import Sequence
from pathlib import Path

from bench.simulate import SLO, load_of, policy_of
from tidegate.models import Policy
from tidegate.simulate.estimate import estimate, estimate_many
from tidegate.simulate.world import World
from tidegate.simulate.world.traces import Bin

REPETITIONS = 5
ENOUGH_S = 1.5
"""CPU seconds after which nothing is repeated any more."""


def cpu_s(policy: Policy, bins: Sequence[Bin]) -> float:
    """Return the least CPU seconds of one estimate over some repetitions, fewer where one takes long."""
    found = list[float]()
    while len(found) < REPETITIONS and sum(found) < ENOUGH_S:
        began_s = time.process_time()
        estimate(policy, SLO, World(), bins)
        found.append(time.process_time() - began_s)
    return min(found)


def by_replicas() -> dict[int, float]:
    """Return CPU seconds of four hours at a fixed number of replicas."""
    return {
        most: cpu_s(policy_of(most, most), load_of(240, most * 2.0, most * 4.0))
        for most in (1, 3, 10, 30, 100, 300, 1000)
    }


def by_syncs() -> dict[int, float]:
    """Return CPU seconds at 10 to 200 replicas, by the number of syncs."""
    return {
        minutes * 4: cpu_s(policy_of(10, 200), load_of(minutes, 50, 950))
        for minutes in (25, 75, 250, 750, 2500, 7500, 25_000)
    }


def slope(found: dict[int, float], above: int = 0) -> float:
    """Return the exponent of the growth, by least squares of logarithms, from `above` on."""
    points = [(math.log(count), math.log(spent_s)) for count, spent_s in found.items() if count >= above]
    middle_x, middle_y = (sum(axis) / len(points) for axis in zip(*points, strict=True))
    rise = sum((x - middle_x) * (y - middle_y) for x, y in points)
    return rise / sum((x - middle_x) ** 2 for x, _ in points)


def plot(series: dict[str, dict[int, float]]) -> str:
    """Return the measured series side by side as SVG, with a line of slope one through each last point."""
    parts = list[str]()
    for place, (name, found) in enumerate(series.items()):
        left, top, width, height = 70 + 400 * place, 40, 300, 260
        counts, spent = list(found), list(found.values())
        low_x, high_x = math.floor(math.log10(counts[0])), math.ceil(math.log10(counts[-1]))
        low_y, high_y = math.floor(math.log10(min(spent))), math.ceil(math.log10(max(spent)))

        def at(x: float, y: float, box: tuple[float, ...] = (left, top, low_x, high_x, low_y, high_y)) -> str:
            right, down = (
                (math.log10(x) - box[2]) / (box[3] - box[2]),
                (math.log10(y) - box[4]) / (box[5] - box[4]),
            )
            return f"{box[0] + 300 * right:.1f},{box[1] + 260 * (1 - down):.1f}"

        parts.append(
            f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#999"/>'
        )
        parts.append(f'<text x="{left}" y="{top - 12}">CPU seconds by {name}</text>')
        for power in range(low_x, high_x + 1):
            x = at(10.0**power, 10.0**low_y).split(",")[0]
            parts.append(f'<text x="{x}" y="{top + height + 18}" text-anchor="middle">{10**power:,}</text>')
        for power in range(low_y, high_y + 1):
            y = at(10.0**low_x, 10.0**power).split(",")[1]
            parts.append(f'<text x="{left - 8}" y="{y}" text-anchor="end">{10.0**power:g}</text>')
        first_x = max(counts[0], counts[-1] * 10.0**low_y / spent[-1])
        line = at(first_x, spent[-1] * first_x / counts[-1]) + " " + at(counts[-1], spent[-1])
        parts.append(f'<polyline points="{line}" fill="none" stroke="#bbb" stroke-dasharray="5 4"/>')
        dots = [at(count, spent_s) for count, spent_s in found.items()]
        parts.append(f'<polyline points="{" ".join(dots)}" fill="none" stroke="#06c" stroke-width="2"/>')
        for dot in dots:
            x, y = dot.split(",")
            parts.append(f'<circle cx="{x}" cy="{y}" r="4" fill="#06c"/>')
    body = "\n".join(parts)
    head = '<svg xmlns="http://www.w3.org/2000/svg" width="800" height="340" font-family="sans-serif"'
    return f'{head} font-size="13">\n<rect width="800" height="340" fill="#fff"/>\n{body}\n</svg>\n'


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description="Measure the fluid simulation.")
    options.add_argument("--policies", type=int, default=500)
    options.add_argument("--processes", type=int, default=2)
    options.add_argument("--plot", type=Path, help="SVG to write the cost by replicas and by syncs to.")
    asked = options.parse_args()
    day = load_of(1440, 50, 950)
    day_s = cpu_s(policy_of(10, 200), day)
    sweep = [policy_of(10, 200, 30 + number % 60) for number in range(asked.policies)]
    began_s = time.monotonic()
    estimate_many(sweep, SLO, World(), day, processes=asked.processes)
    wall_s = time.monotonic() - began_s
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    replicas, syncs = by_replicas(), by_syncs()
    if asked.plot is not None:
        asked.plot.write_text(plot({"replicas": replicas, "syncs": syncs}))
    print(
        json.dumps(
            {
                "day_cpu_s": day_s,
                "times_real_time": 86_400 / day_s,
                "cpu_s_by_replicas": replicas,
                "cpu_s_by_syncs": syncs,
                "exponent_by_replicas_from_100": slope(replicas, 100),
                "exponent_by_syncs": slope(syncs),
                "policies": asked.policies,
                "processes": asked.processes,
                "policies_wall_s": wall_s,
                "policies_cpu_s": children.ru_utime + children.ru_stime,
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
