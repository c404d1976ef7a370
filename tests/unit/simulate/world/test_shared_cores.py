"""The world where pods share cores: what waits for what, and that nothing is lost."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from support.synthetic_run import SLO

from tidegate.models import Policy
from tidegate.run import RunReader, pod_lives
from tidegate.simulate.outcome import run_policy
from tidegate.simulate.world import World, simulate
from tidegate.simulate.world.arrivals import steps
from tidegate.simulate.world.record import Silent
from tidegate.simulate.world.traces import Bin

FIXED = Policy.model_validate(
    {"web": {"cpu_limit_m": None, "hpa": {"min_replicas": 1, "max_replicas": 1}}},
)


class Answers(Silent):
    """Keeps how long each request took, and its status."""

    def __init__(self) -> None:
        self.took_s: list[float] = []
        self.statuses: list[int] = []

    def request(self, arrived_s: float, ended_s: float, status: int, pod: str | None) -> None:
        self.took_s.append(ended_s - arrived_s)
        self.statuses.append(status)


def world(contention: str, **service: float) -> World:
    return World.model_validate(
        {
            "service": {"cpu_ms": 20, "other_ms": 0, **service},
            "nodes": {"contention": contention, "machine_cores": 2, "cpu_m": 2000, "least": 1, "most": 1},
        }
    )


@pytest.mark.parametrize("contention", ["none", "node", "machine"])
def test_one_pod_alone_is_a_queue_of_one_server(contention: str) -> None:
    """Pollaczek-Khinchine: mean wait = rate * E[S^2] / (2 * (1 - load)), here at a load of 0.6."""
    kept = Answers()
    simulate(FIXED, world(contention, cpu_variation=0.5), [Bin(0.0, 1200.0, 36_000.0)], kept, seed=3)
    mean_s, load = 0.02, 0.6
    wait_s = 30 * mean_s**2 * (1 + 0.5**2) / (2 * (1 - load))
    assert np.mean(kept.took_s) == pytest.approx(mean_s + wait_s, rel=0.06)


def test_pods_on_one_core_share_it() -> None:
    """Two pods on one core, requests of equal cost: as one server that divides itself, load / (1 - load)."""
    two = Policy.model_validate(
        {"web": {"cpu_limit_m": None, "hpa": {"min_replicas": 2, "max_replicas": 2}}},
    )
    shared = world("machine", cpu_variation=0).model_copy(deep=True)
    shared = shared.model_copy(update={"nodes": shared.nodes.model_copy(update={"machine_cores": 1.0})})
    alone, crowded = Answers(), Answers()
    simulate(two, world("none", cpu_variation=0), [Bin(0.0, 600.0, 18_000.0)], alone, seed=5)
    simulate(two, shared, [Bin(0.0, 600.0, 18_000.0)], crowded, seed=5)
    mean_s, load = 0.02, 0.6
    # Between a single queue in order (M/D/1) and processor sharing (M/G/1-PS), for there is a queue a pod.
    in_order_s = mean_s * (1 + load / (2 * (1 - load)))
    assert in_order_s * 0.95 <= np.mean(crowded.took_s) <= mean_s / (1 - load) * 1.05
    assert np.mean(crowded.took_s) > np.mean(alone.took_s)


def test_what_the_edge_takes_is_waited_for() -> None:
    slow, quick = Answers(), Answers()
    simulate(FIXED, world("machine", edge_cpu_ms=10.0), steps(((300, 5.0),)), slow)
    simulate(FIXED, world("machine"), steps(((300, 5.0),)), quick)
    assert np.mean(slow.took_s) - np.mean(quick.took_s) == pytest.approx(0.010, rel=0.2)


def test_starting_pods_slow_the_serving_ones_down(tmp_path: Path) -> None:
    """The same spike with the work of starting on the shared cores, and without it."""
    base = {
        "service": {"cpu_ms": 15, "other_ms": 2},
        "nodes": {"contention": "machine", "machine_cores": 2},
        "start": {"cpu_s": 1.5, "node_cpu_s": 0},
    }
    heavy = base | {"start": {"cpu_s": 1.5, "node_cpu_s": 3.0}}
    light, slow = Answers(), Answers()
    bins = steps(((30, 4.0), (60, 45.0), (60, 4.0)))
    simulate(Policy(), World.model_validate(base), bins, light)
    simulate(Policy(), World.model_validate(heavy), bins, slow)
    assert np.percentile(slow.took_s, 95) > 1.5 * np.percentile(light.took_s, 95)
    assert len(slow.took_s) == len(light.took_s) == sum(round(one.count) for one in bins)
    outcome = run_policy("heavy", Policy(), SLO, World.model_validate(heavy), bins, runs=tmp_path)
    again = run_policy("again", Policy(), SLO, World.model_validate(heavy), bins, runs=tmp_path)
    assert outcome.totals == again.totals
    starts = [
        life.ready_s - life.scheduled_s
        for life in pod_lives(RunReader(outcome.folder))
        if life.ready_s is not None and life.scheduled_s is not None and life.created_s > 0
    ]
    assert max(starts) > 3.0


def test_a_client_that_gives_up_and_a_pod_that_is_killed_are_failures() -> None:
    kept = Answers()
    policy = Policy.model_validate({"web": {"hpa": {"min_replicas": 1, "max_replicas": 1}}})
    totals = simulate(policy, world("node", timeout_s=1.0), steps(((60, 60.0),)), kept)
    assert totals.failed == kept.statuses.count(0) > 0
    assert len(kept.took_s) == totals.requests == 3600
    assert max(kept.took_s) == pytest.approx(1.0)


def test_a_new_pod_s_first_requests_cost_more() -> None:
    """The sum of a geometric series: (factor - 1) / (1 - exp(-1 / requests)) more requests' worth a pod."""
    cold = World.model_validate(
        {
            "service": {"cpu_ms": 10, "cpu_variation": 0},
            "start": {"cold_factor": 5.0, "cold_requests": 10.0},
            "nodes": {"least": 4, "most": 4},
        }
    )
    policy = Policy.model_validate({"web": {"hpa": {"min_replicas": 2, "max_replicas": 6}}})
    totals = simulate(policy, cold, steps(((120, 5.0), (600, 60.0))), Silent())
    extra_s = totals.used_core_s - totals.requests * 0.010
    each_s = 4.0 * 0.010 / (1 - math.exp(-0.1))
    assert totals.most_replicas == 6
    assert extra_s == pytest.approx(4 * each_s, rel=0.02)
