from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from support.synthetic_run import REQUESTS, WINDOW_S, build_run
from typer.testing import CliRunner

from tidegate.errors import TidegateError
from tidegate.models import Plan
from tidegate.run import RunReader
from tidegate.simulate.cli import simulate_command
from tidegate.simulate.outcome import EPOCH_S
from tidegate.simulate.replay import Observed, arrivals_of, observed, replay, replay_rows
from tidegate.simulate.world import World

app = typer.Typer()
app.command()(simulate_command)

T0 = 1_767_225_600.0


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return build_run(tmp_path / "measured")


def test_arrivals_are_the_intended_starts(run: Path) -> None:
    bins = arrivals_of(RunReader(run))
    assert sum(one.count for one in bins) == REQUESTS
    assert bins[0].start_s == 0.0
    assert bins[400].start_s == pytest.approx(20.0)
    assert bins[-1].start_s == WINDOW_S
    assert bins[-1].count == 0.0


def test_what_the_measured_run_shows(run: Path) -> None:
    found = observed(RunReader(run), T0)
    assert [found.replicas_at(t_s) for t_s in (0.0, 41.0, 42.0, 57.0, 190.0, 192.0, 240.0)] == [
        2,
        2,
        6,
        9,
        9,
        2,
        2,
    ]
    assert found.peak == 9
    # 2 to 41.2 s, 6 to 56.2 s, 9 to 191.2 s, 2 to the end.
    assert found.replica_s == pytest.approx(2 * 41.2 + 6 * 15 + 9 * 135 + 2 * 48.8, rel=0.01)
    assert len(found.latency_ms) == REQUESTS
    assert found.percentile_ms(50) < found.percentile_ms(99)


def test_policy_and_objectives_are_the_run_s_and_the_error_is_told(run: Path, tmp_path: Path) -> None:
    found = replay(run, World(), runs=tmp_path / "runs")
    plan, measured = RunReader(found.outcome.folder).plan, RunReader(run).plan
    assert (plan.policy, plan.slo) == (measured.policy, measured.slo)
    assert plan.load_window_s == (EPOCH_S, EPOCH_S + WINDOW_S)
    assert len(found.simulated.latency_ms) == len(found.measured.latency_ms)
    rows = {name: cells for name, *cells in replay_rows(found)}
    p95 = found.simulated.percentile_ms(95) / found.measured.percentile_ms(95) - 1
    assert rows["latency p95"][2] == f"{100 * p95:+.1f} %"
    assert rows["replicas, most"][0] == "9"
    assert rows["replicas, mean distance"][2] == f"{found.replica_error:.2f}"
    assert rows["replicas at 60 s"][0] == "9"


def test_the_distance_of_trajectories_is_by_hand() -> None:
    measured = Observed(10.0, ((0.0, 2), (4.0, 6)), (1.0,), 0)
    simulated = Observed(10.0, ((0.0, 2), (6.0, 5)), (1.0,), 0)
    from tidegate.simulate.replay import Replayed

    found = Replayed(measured, simulated, None)  # pyright: ignore[reportArgumentType] - not read here
    assert found.replica_error == pytest.approx((2 * 4 + 4 * 1) / 10)


def test_a_costlier_request_gives_more_replicas(run: Path, tmp_path: Path) -> None:
    cheap = replay(run, World.model_validate({"service": {"cpu_ms": 2}}), runs=tmp_path / "a")
    dear = replay(run, World.model_validate({"service": {"cpu_ms": 40}}), runs=tmp_path / "b")
    assert dear.simulated.replica_s > cheap.simulated.replica_s


def test_the_command_shows_both_and_says_what_arrivals_are(run: Path, tmp_path: Path) -> None:
    words = ["--replay", str(run), "--runs", str(tmp_path / "runs")]
    result = CliRunner().invoke(app, words, catch_exceptions=False)
    assert "measured" in result.stdout
    assert "latency p95" in result.stdout
    assert "intended starts" in result.output


def test_nothing_of_the_run_can_be_replaced(run: Path, tmp_path: Path) -> None:
    words = ["--replay", str(run), "--runs", str(tmp_path / "runs"), "--scale", "2"]
    with pytest.raises(TidegateError, match="from the Run"):
        CliRunner().invoke(app, words, catch_exceptions=False)


@pytest.mark.parametrize(
    ("left_out", "told"),
    [("load_window", "its load never began"), ("cluster", "no status of its autoscaler")],
)
def test_a_run_that_lacks_a_part_is_refused(tmp_path: Path, left_out: str, told: str) -> None:
    run = build_run(tmp_path / "measured", **{left_out: False})
    with pytest.raises(TidegateError, match=told):
        replay(run, World(), runs=tmp_path / "runs")


def test_a_run_without_requests_is_refused(run: Path, tmp_path: Path) -> None:
    plan = Plan.model_validate_json((run / "plan.json").read_text())
    later = plan.model_copy(update={"load_window_s": (T0 + 900, T0 + 960)})
    (run / "plan.json").write_text(json.dumps(later.model_dump(mode="json")))
    with pytest.raises(TidegateError, match="no requests to replay"):
        replay(run, World(), runs=tmp_path / "runs")
