"""The whole world: it repeats itself, keeps its sums, and its Runs read like measured ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.synthetic_run import SLO

from tidegate.lag import breakdown
from tidegate.models import Policy
from tidegate.report import write_report
from tidegate.run import RunReader, pod_lives, rescales, totals
from tidegate.simulate.outcome import Outcome, run_policy
from tidegate.simulate.world import World
from tidegate.simulate.world.arrivals import spike, steps
from tidegate.simulate.world.parameters import Nodes, Service
from tidegate.verdict import assess

BINS = spike(10, 120)


def run(folder: Path, *, policy: Policy | None = None, world: World | None = None, seed: int = 1) -> Outcome:
    return run_policy("p", policy or Policy(), SLO, world or World(), BINS, runs=folder, seed=seed)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def reader(outcome: Outcome) -> RunReader:
    return RunReader(outcome.folder)


def test_the_same_seed_gives_the_same_run(outcome: Outcome, tmp_path: Path) -> None:
    again, other = run(tmp_path), run(tmp_path, seed=2)
    for name in ("cluster.jsonl", "plan.json"):
        assert (outcome.folder / name).read_bytes() == (again.folder / name).read_bytes()
    first, second = RunReader(outcome.folder), RunReader(again.folder)
    assert first.requests().equals(second.requests())
    assert first.metrics("pod_cpu_cores").equals(second.metrics("pod_cpu_cores"))
    assert outcome.totals == again.totals
    assert other.totals != outcome.totals


def test_every_request_is_in_the_run(outcome: Outcome, reader: RunReader) -> None:
    counted = totals(reader)
    assert counted.requests == outcome.totals.requests == sum(round(one.count) for one in BINS)
    requests = reader.requests()
    assert (requests["end_s"] > requests["start_s"]).all()
    assert requests.filter(~requests["ok"]).height == outcome.totals.failed


def test_no_pod_serves_before_it_is_ready_or_after_it_is_gone(reader: RunReader) -> None:
    lives = {life.name: life for life in pod_lives(reader)}
    for row in reader.requests().iter_rows(named=True):
        life = lives[row["pod"]]
        assert life.ready_s is not None
        assert life.ready_s <= row["start_s"]
        assert life.deleting_s is None or row["start_s"] <= life.deleting_s + 1


def test_the_work_done_is_the_work_asked_for(outcome: Outcome) -> None:
    mean_s = World().service.cpu_ms / 1000
    assert outcome.totals.used_core_s == pytest.approx(outcome.totals.requests * mean_s, rel=0.03)


def test_the_replicas_paid_are_those_of_the_run(outcome: Outcome, reader: RunReader) -> None:
    window = reader.plan.load_window_s
    assert window is not None
    held_s = sum(
        max(0.0, min(life.gone_s or window[1], window[1]) - max(life.created_s, window[0]))
        for life in pod_lives(reader)
    )
    assert outcome.totals.replica_s == pytest.approx(held_s, abs=0.01)
    assert outcome.requested_core_hours == pytest.approx(held_s * 0.1 / 3600, rel=1e-6)


def test_lag_reads_the_run(reader: RunReader) -> None:
    events = breakdown(reader)
    assert [event.direction for event in events[:2]] == ["up", "up"]
    assert len(events) == len([change for change in rescales(reader) if change.t_s >= reader.plan.created_s])
    ups = [event for event in events if event.direction == "up"]
    assert all(event.complete for event in ups), [event.missing for event in ups]
    assert all(0 < (event.total_s or 0) < 60 for event in ups)


def test_verdict_and_report_read_the_run(outcome: Outcome, reader: RunReader) -> None:
    verdict = assess(reader)
    assert verdict == outcome.verdict
    assert [check.count for check in verdict.checks[:2]] == [outcome.totals.requests] * 2
    assert write_report(outcome.folder).stat().st_size > 10_000


def test_more_load_is_met_by_more_replicas_and_less_by_fewer(tmp_path: Path) -> None:
    calm = run_policy("calm", Policy(), SLO, World(), steps(((300, 2.0),)), runs=tmp_path)
    assert (calm.totals.most_replicas, calm.totals.rescales) == (2, 0)
    busy = run_policy("busy", Policy(), SLO, World(), steps(((300, 60.0),)), runs=tmp_path)
    assert 2 < busy.totals.most_replicas <= Policy().web.hpa.max_replicas
    used_m = 1000 * busy.totals.used_core_s / busy.totals.length_s
    settled = busy.totals.most_replicas * Policy().web.cpu_request_m * 0.6
    assert settled >= used_m * 0.9


def test_without_room_pods_wait_for_a_node(tmp_path: Path) -> None:
    small = Nodes(cpu_m=200, least=1, most=3, provision_s=30)
    grown = run(tmp_path, world=World(nodes=small))
    assert grown.totals.node_s > grown.totals.length_s
    waits = [
        life.scheduled_s - life.created_s
        for life in pod_lives(RunReader(grown.folder))
        if life.scheduled_s is not None
    ]
    assert max(waits) > 30
    fixed = run(tmp_path, world=World(nodes=small.model_copy(update={"most": 1})), seed=2)
    assert fixed.totals.node_s == pytest.approx(fixed.totals.length_s)


def test_a_client_that_gives_up_is_a_failure(tmp_path: Path) -> None:
    slow = World(service=Service(cpu_ms=200, timeout_s=1.0))
    outcome = run(tmp_path, world=slow)
    requests = RunReader(outcome.folder).requests()
    failed = requests.filter(requests["status"] == 0)
    assert failed.height == outcome.totals.failed > 0
    assert failed["error"].unique().to_list() == ["timeout"]
    assert outcome.verdict.outcome.value == "not_held"


def test_money_follows_the_prices(tmp_path: Path) -> None:
    priced = World.model_validate({"prices": {"core_hour": 1.0, "node_hour": 10.0}})
    outcome = run(tmp_path, world=priced)
    expected = outcome.requested_core_hours + 10 * outcome.totals.node_s / 3600
    assert outcome.money == pytest.approx(expected)
