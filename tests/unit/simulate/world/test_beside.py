"""What scales beside CPU: requests a second, KEDA to zero, and rollouts in the middle of it all."""

from __future__ import annotations

from itertools import accumulate

import pytest

from tidegate.models import Policy
from tidegate.simulate.hpa import Decision
from tidegate.simulate.world import World, simulate
from tidegate.simulate.world.arrivals import steps
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.record import Silent


class Replicas(Silent):
    """Keeps what was asked for, and pods' comings and goings."""

    def __init__(self) -> None:
        self.keda: list[tuple[float, int]] = []
        self.hpa: list[tuple[float, int]] = []
        self.statuses: list[tuple[float, int]] = []
        self.available: list[tuple[float, int]] = []
        self.there: list[tuple[float, int]] = []
        self._ready: set[str] = set()

    def resized(self, now_s: float, replicas: int) -> None:
        self.keda.append((now_s, replicas))

    def decided(self, now_s: float, decision: Decision) -> None:
        desired, there = decision.desired_replicas, decision.spec_replicas
        if desired != there:
            self.hpa.append((now_s, desired))

    def request(self, arrived_s: float, ended_s: float, status: int, pod: str | None) -> None:
        self.statuses.append((arrived_s, status))

    def pod(self, now_s: float, event: str, pod: Pod) -> None:
        ready = pod.is_ready(now_s) and pod.deleting_s > now_s
        if ready != (pod.name in self._ready):
            (self._ready.add if ready else self._ready.discard)(pod.name)
            self.available.append((now_s, 1 if ready else -1))
        if event == "ADDED" or (event == "MODIFIED" and pod.deleting_s == now_s):
            self.there.append((now_s, 1 if event == "ADDED" else -1))


def test_requests_a_second_scale_where_cpu_does_not() -> None:
    """2 ms of CPU a request is nothing, 10 requests a second a pod are: 60 a second want six pods."""
    world = World.model_validate(
        {"service": {"cpu_ms": 2}, "requests_metric": {"target_rps": 10, "scrape_s": 15, "window_s": 60}}
    )
    kept = Replicas()
    totals = simulate(Policy(), world, steps(((120, 5.0), (600, 60.0))), kept)
    assert totals.most_replicas == 6
    rise_s = kept.hpa[0][0] - 120
    # Two scrapes must have seen some of the rise, and a sync must come: well after the next sync.
    assert 5 < rise_s < 60
    assert simulate(Policy(), World(service=world.service), steps(((720, 60.0),)), Silent()).most_replicas < 6


def test_keda_goes_to_zero_after_its_cooldown_and_back_at_the_next_poll() -> None:
    world = World.model_validate(
        {
            "requests_metric": {"target_rps": 10, "scrape_s": 15, "window_s": 60},
            "keda": {"polling_s": 30, "cooldown_s": 120},
        }
    )
    kept = Replicas()
    bins = steps(((60, 20.0), (600, 0.0), (300, 5.0)))
    totals = simulate(Policy(), world, bins, kept)
    after = [(t_s, replicas) for t_s, replicas in kept.keda if t_s > 0]
    # Before the load there was none: it went to zero at the first poll, for it had never been active.
    assert [replicas for _, replicas in after] == [1, 0, 1]
    first_s, zero_s, one_s = (t_s for t_s, _ in after)
    # From the first request: a scrape that has it, a poll.
    assert first_s < 15 + 15 + 30
    assert 660 < one_s < 660 + 15 + 15 + 30
    # 60 s of load, up to 75 s until the rate is nothing, the cooldown, and a poll.
    assert 60 + 120 < zero_s < 60 + 75 + 15 + 120 + 2 * 30
    refused = [t_s for t_s, status in kept.statuses if status == 503]
    assert totals.failed == len(refused)
    late = [t_s for t_s in refused if t_s > zero_s]
    assert late
    assert one_s < max(late) < one_s + 15


@pytest.mark.parametrize(("surge", "unavailable"), [(25, 25), (100, 0), (0, 50)])
def test_a_rollout_replaces_every_pod_within_its_bounds(surge: int, unavailable: int) -> None:
    policy = Policy.model_validate({"web": {"hpa": {"min_replicas": 4, "max_replicas": 4}}})
    rollout = {"at_s": 60, "max_surge_percent": surge, "max_unavailable_percent": unavailable}
    world = World.model_validate({"rollouts": [rollout]})
    kept = Replicas()
    totals = simulate(policy, world, steps(((300, 20.0),)), kept)
    assert totals.failed == 0
    assert [change for _, change in kept.there].count(1) == 8
    available = list(accumulate(change for _, change in kept.available))
    there = list(accumulate(change for _, change in kept.there))
    assert min(available[4:]) == 4 - 4 * unavailable // 100
    assert max(there) == 4 + 4 * surge // 100
    assert (available[-1], there[-1]) == (4, 4)
