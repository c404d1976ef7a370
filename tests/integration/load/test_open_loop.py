"""Arrivals that wait for nobody, on real Locust against a server in a process of its own."""

from __future__ import annotations

import runpy
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from support.synthetic_run import build_run
from support.tiny import tiny_server

from tidegate.load.drive import LoadResult, run_load
from tidegate.models import LatencyObjective, Outcome, Plan, Slo
from tidegate.report import write_report
from tidegate.run import RunReader, new_run, read_jsonl, save_plan, start_delays
from tidegate.run.format import NOBODY
from tidegate.verdict import assess
from tidegate.verdict.soundness import generator_lag

recompute: Callable[[list[str]], int] = runpy.run_path(
    str(Path(__file__).parents[2] / "recompute.py"), run_name="recompute"
)["main"]
GET = Path(__file__).parents[3] / "bench" / "loadtests"
STALL_S = 5.0
Load = Callable[..., tuple[RunReader, LoadResult]]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    objective = LatencyObjective(route_group="page", routes=("GET /",), percentile=99, threshold_ms=100)
    slo = Slo(availability_percent=99.9, latency=(objective,))
    return RunReader(build_run(tmp_path_factory.mktemp("template"))).plan.model_copy(update={"slo": slo})


@pytest.fixture
def load(tmp_path: Path, plan: Plan) -> Load:
    """Load a server and return the Run, its window set."""

    def loaded(url: str, **parameters: str) -> tuple[RunReader, LoadResult]:
        folder = new_run(tmp_path, plan.model_copy(update={"load_window_s": None}))
        result = run_load("get", run_dir=folder, host=url, parameters=parameters, progress=None, folder=GET)
        assert result.window_s is not None
        save_plan(folder, plan.model_copy(update={"load_window_s": None}).with_load_window(*result.window_s))
        return RunReader(folder), result

    return loaded


def unsent(run: RunReader) -> int:
    lag = generator_lag(run)
    assert lag is not None
    return lag.unsent


def lateness_s(run: RunReader, told: dict[str, Any]) -> float:
    """Return how late client and server were by their own doing, for this machine may be busy.

    The generator's own mean delay at the start, and how long after the stall's end its answers were read.
    """
    ends_s = told["stall_s"][1]
    held = [str(number) for number, arrived_s, _ in told["book"] if told["stall_s"][0] <= arrived_s < ends_s]
    read = run.requests().filter(pl.col("request_id").is_in(held))["end_s"] - ends_s
    return float(str(read.mean())) + float(str(start_delays(run.requests())["delay_ms"].mean())) / 1000


def held_by(run: RunReader, told: dict[str, Any]) -> pl.DataFrame:
    """Return what was meant to start during the stall."""
    return (
        run.requests()
        .filter(pl.col("intended_start_s").is_between(*told["stall_s"]))
        .with_columns(
            latency_s=pl.col("end_s") - pl.col("intended_start_s"),
            service_s=pl.col("end_s") - pl.col("start_s"),
        )
    )


def test_arrivals_during_a_stall_wait_half_of_it_on_average(load: Load) -> None:
    rate_rps = 40.0
    with tiny_server(2.0, STALL_S) as server:
        run, _ = load(server.url, rate_rps=str(rate_rps), get_s="9", arrivals="constant")
        told = server.end()
    held = held_by(run, told)
    slack_s = lateness_s(run, told)
    assert unsent(run) == 0
    assert told["count"] == run.requests().height == rate_rps * 9
    assert set(run.requests()["user"]) == {NOBODY}
    # One arrival every 25 ms whatever the server does, each waiting for the stall's end.
    assert held.height == pytest.approx(rate_rps * STALL_S, rel=0.05)
    mean_s = statistics.mean(held["latency_s"])
    assert STALL_S / 2 * 0.95 <= mean_s <= STALL_S / 2 * 1.05 + slack_s
    # Each is sent when it is due, so the real start shows the stall as well.
    assert STALL_S / 2 * 0.95 - slack_s <= statistics.mean(held["service_s"]) <= STALL_S / 2 * 1.05 + slack_s
    # And the report says so, from either start, as the raw files do.
    write_report(run.path)
    assert recompute([str(run.path)]) == 0


def test_a_closed_loop_sends_one_request_a_user_into_a_stall(load: Load) -> None:
    users, rps = 8, 5.0
    with tiny_server(2.0, STALL_S) as server:
        run, _ = load(
            server.url, loop="closed", rate_rps=str(users * rps), rps=str(rps), get_s="9", arrivals="constant"
        )
        told = server.end()
    held = held_by(run, told)
    slack_s = lateness_s(run, told)
    # Counted from the real start only the one request each user had under way was slow.
    slow = run.requests().filter(
        pl.col("start_s").is_between(told["stall_s"][0] - 0.1, told["stall_s"][1] - 0.5)
        & (pl.col("end_s") >= told["stall_s"][1])
    )
    assert slow.height == slow["user"].n_unique() == users
    # Counted from the plan every request that was due waits for the stall's end, as in the open loop.
    assert held.height == pytest.approx(users * rps * STALL_S, rel=0.05)
    mean_s = statistics.mean(held["latency_s"])
    # What was missed is sent back to back after the stall, each behind those of its user before it.
    after = held.filter(pl.col("start_s") > told["stall_s"][1])
    catching_up_s = float((after["end_s"] - told["stall_s"][1]).sum()) / held.height
    assert STALL_S / 2 * 0.95 <= mean_s <= STALL_S / 2 * 1.05 + catching_up_s + slack_s
    assert statistics.mean(held["service_s"]) < mean_s / 4 + slack_s


def test_arrivals_beyond_the_limit_in_flight_are_counted_and_make_the_run_doubtful(load: Load) -> None:
    places = 20
    with tiny_server(1.0, STALL_S) as server:
        run, _ = load(server.url, rate_rps="40", get_s="8", arrivals="constant", max_in_flight=str(places))
        told = server.end()
    assert told["count"] == run.requests().height
    # Every arrival of the plan is either in the record or counted.
    assert run.requests().height + unsent(run) == 40 * 8
    assert unsent(run) >= 40 * STALL_S - places - 10
    assert run.metrics("generator_in_flight")["value"].max() == places
    check = next(check for check in assess(run).checks if check.name == "generator lag p99")
    assert check.outcome is Outcome.COULD_NOT_TELL
    assert f"could not start {unsent(run)} arrivals" in check.detail
    notes = [str(note["what"]) for _, note in read_jsonl(run.path / "recorder.jsonl")]
    assert any(f"{unsent(run)} arrivals could not be started when they were due" in note for note in notes)


def test_a_saturated_generator_says_that_it_was_the_limit(load: Load) -> None:
    planned = 60_000 * 6
    with tiny_server() as server:
        run, _ = load(server.url, rate_rps="60000", get_s="6", arrivals="constant", max_requests=str(planned))
        told = server.end()
    lag = generator_lag(run)
    assert lag is not None
    # No process of this kind sends so much: all places are taken or it falls behind, and the rest is counted.
    assert lag.unsent == planned - run.requests().height > 0
    assert not lag.sound
    assert told["count"] == run.requests().height < planned
    verdict = assess(run)
    checks = {check.name: check for check in verdict.checks}
    assert checks["generator lag p99"].outcome is Outcome.COULD_NOT_TELL
    assert all(check.outcome is not Outcome.HELD for name, check in checks.items() if "latency" in name)


def test_the_bound_on_requests_ends_an_open_loop(load: Load) -> None:
    with tiny_server() as server:
        run, result = load(server.url, rate_rps="50", get_s="60", max_requests="43")
        told = server.end()
    assert told["count"] == result.requests == run.requests().height == 43
    assert unsent(run) == 0
