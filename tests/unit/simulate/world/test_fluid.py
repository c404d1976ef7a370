"""The fluid world agrees with the one of single requests where both can be asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from support.synthetic_run import SLO

from tidegate.errors import TidegateError
from tidegate.models import Policy
from tidegate.simulate.estimate import binned, estimate, estimate_many
from tidegate.simulate.world import World, simulate
from tidegate.simulate.world.arrivals import steps
from tidegate.simulate.world.fluid import flow_of
from tidegate.simulate.world.latency import sampled_latency_s
from tidegate.simulate.world.policy import quota_of
from tidegate.simulate.world.record import Silent
from tidegate.simulate.world.totals import Totals
from tidegate.simulate.world.traces import Bin

LOADS = {
    "steady": steps(((600, 60.0),)),
    "a step up and down": steps(((120, 5.0), (300, 60.0), (400, 5.0))),
    "slowly rising": steps(tuple((60.0, rate) for rate in (5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 60.0, 60.0))),
}


class Latencies(Silent):
    """Keeps how long each request took."""

    def __init__(self) -> None:
        self.all: list[float] = []

    def request(self, arrived_s: float, ended_s: float, status: int, pod: str | None) -> None:
        self.all.append(ended_s - arrived_s)


@pytest.mark.parametrize("load", LOADS)
def test_cost_work_and_latency_are_those_of_single_requests(load: str) -> None:
    policy, world, bins = Policy(), World(), LOADS[load]
    replica_s, flowing_s, exact, flowing = list[float](), list[float](), list[float](), list[float]()
    for seed in range(1, 6):
        kept = Latencies()
        totals = simulate(policy, world, bins, kept, seed=seed)
        sums, flow = flow_of(policy, world, bins, seed=seed)
        assert sums.used_core_s == pytest.approx(totals.used_core_s, rel=0.04)
        assert sums.requests == totals.requests
        replica_s.append(totals.replica_s)
        flowing_s.append(sums.replica_s)
        exact += kept.all
        flowing += sampled_latency_s(flow, world, quota_of(policy, world), seed=seed).tolist()
    assert np.mean(flowing_s) == pytest.approx(np.mean(replica_s), rel=0.05)
    assert np.percentile(flowing, 50) == pytest.approx(np.percentile(exact, 50), rel=0.1)
    assert np.percentile(flowing, 90) == pytest.approx(np.percentile(exact, 90), rel=0.2)


def test_the_same_seed_gives_the_same_flow() -> None:
    bins = LOADS["a step up and down"]
    found = list[tuple[Totals, object, object]]()
    for seed in (1, 1, 2):
        totals, flow = flow_of(Policy(), World(), bins, seed=seed)
        found.append((totals, flow.start_s.tolist(), flow.backlog_s.tolist()))
    assert found[0] == found[1]
    assert found[0] != found[2]


def test_no_work_is_lost() -> None:
    """What flows in is done or still waits; at a low load, all of it is done."""
    totals, flow = flow_of(Policy(), World(), LOADS["steady"])
    asked = 600 * 60.0 * World().service.cpu_ms / 1000
    assert totals.used_core_s == pytest.approx(asked)
    assert flow.backlog_s[-1] == 0.0
    overloaded, flow = flow_of(Policy(), World(), steps(((300, 2000.0),)))
    most = Policy().web.hpa.max_replicas * quota_of(Policy(), World()).speed * 300
    assert overloaded.used_core_s < most
    assert flow.backlog_s[-1] + overloaded.used_core_s == pytest.approx(300 * 2000 * 0.012, rel=0.01)


def test_replicas_stay_within_the_policy() -> None:
    policy = Policy.model_validate({"web": {"hpa": {"min_replicas": 3, "max_replicas": 7}}})
    totals, flow = flow_of(policy, World(), steps(((600, 500.0),)))
    assert totals.most_replicas == 7
    assert min(flow.pods) >= 3
    assert max(flow.pods) <= 7


def test_a_wait_in_the_backlog_is_in_the_latency() -> None:
    found = estimate(Policy(), SLO, World(), steps(((300, 2000.0),)))
    assert not found.holds(SLO)
    assert found.totals.failed > 0
    assert found.availability_percent < 100
    calm = estimate(Policy(), SLO, World(), steps(((300, 5.0),)))
    assert calm.holds(SLO)
    # 12 ms at full speed, its limit not reached; the exponential's p99 and p95 are 15 ms * ln(100), ln(20).
    assert [round(met.measured_ms) for met in calm.latency] == pytest.approx([12 + 69, 12 + 45], rel=0.1)


def test_single_arrivals_are_counted_into_bins() -> None:
    moments = [Bin(0.1, 0.0, 1.0), Bin(0.9, 0.0, 1.0), Bin(2.5, 0.0, 1.0)]
    assert binned(moments) == [Bin(0.0, 1.0, 2.0), Bin(2.0, 1.0, 1.0)]
    with pytest.raises(ValueError, match="bins need a width"):
        flow_of(Policy(), World(), moments)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"nodes": {"contention": "node"}}, "nodes.contention"),
        ({"start": {"cold_factor": 2.0}}, "start.cold_factor"),
        ({"rollouts": [{"at_s": 5}]}, "rollouts"),
        ({"requests_metric": {"target_rps": 5}, "keda": {}}, "requests_metric, keda"),
    ],
)
def test_what_does_not_flow_is_refused(part: dict[str, object], told: str) -> None:
    with pytest.raises(TidegateError, match=told):
        flow_of(Policy(), World.model_validate(part), LOADS["steady"])


def test_processes_change_nothing_but_time() -> None:
    policies = [
        Policy.model_validate({"web": {"hpa": {"cpu_target_percent": target}}}) for target in (30, 60, 90)
    ]
    bins = LOADS["a step up and down"]
    alone = estimate_many(policies, SLO, World(), bins)
    assert estimate_many(policies, SLO, World(), bins, processes=2) == alone
    assert [round(one.core_hours, 6) for one in alone] == sorted(
        (round(one.core_hours, 6) for one in alone), reverse=True
    )


UNCOMPILED = """
import json, sys
from tidegate.models import Policy
from tidegate.simulate.world import World
from tidegate.simulate.world.fluid import flow_of
from tidegate.simulate.world.stream import scrape
from tidegate.simulate.world.traces import Bin

assert not hasattr(scrape, "py_func"), "compiled after all"
bins = [Bin(*one) for one in json.loads(sys.argv[2])]
totals, flow = flow_of(Policy(), World.model_validate_json(sys.argv[1]), bins)
print(json.dumps([totals.replica_s, totals.used_core_s, flow.pods.tolist(), flow.backlog_s.tolist()]))
"""


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"controller": {"sync_s": 60.0}, "pipeline": {"resolution_s": 10.0}},
        {"controller": {"sync_s": 5.0}, "pipeline": {"resolution_s": 120.0, "sample_least_s": 1.0}},
    ],
)
def test_the_compiled_steps_have_the_bits_of_python_and_stay_within_their_arrays(
    part: dict[str, object],
) -> None:
    """Python looks at bounds, compiled code does not."""
    world = World.model_validate(part)
    bins = [Bin(0.5 * number, 0.5, 0.1 * (number % 400)) for number in range(1200)]
    env = {**os.environ, "NUMBA_DISABLE_JIT": "1"}
    words = (world.model_dump_json(), json.dumps([(one.start_s, one.width_s, one.count) for one in bins]))
    told = subprocess.run(
        [sys.executable, "-c", UNCOMPILED, *words], env=env, check=True, capture_output=True, text=True
    )
    totals, flow = flow_of(Policy(), world, bins)
    found = [totals.replica_s, totals.used_core_s, flow.pods.tolist(), flow.backlog_s.tolist()]
    assert json.loads(told.stdout) == found
    assert totals.most_replicas > Policy().web.hpa.min_replicas
