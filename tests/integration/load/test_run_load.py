"""Real Locust against a real server, and what of it stands in the Run."""

from __future__ import annotations

import io
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from rich.console import Console
from support.shop import Shop

from tidegate.errors import TidegateError
from tidegate.load.drive import LoadResult, run_load
from tidegate.run import REQUEST_SCHEMA, read_jsonl

LOADTESTS = Path(__file__).parents[3] / "loadtests"
BRIEF = {"warm_s": "1", "spike_s": "3", "cool_s": "1", "base_users": "2", "spike_users": "8", "rps": "5"}


def rows(folder: Path) -> pl.DataFrame:
    found = pl.concat(pl.read_parquet(path) for path in sorted((folder / "requests").glob("*.parquet")))
    assert found.schema == REQUEST_SCHEMA
    return found


def notes(folder: Path) -> list[str]:
    return [str(note["what"]) for _, note in read_jsonl(folder / "recorder.jsonl")]


def drive(shop: Shop, folder: Path, scenario: str = "spike", **parameters: str) -> LoadResult:
    return run_load(
        scenario, run_dir=folder, host=shop.url, parameters=parameters, progress=None, folder=LOADTESTS
    )


def until(holds: Callable[[], bool]) -> None:
    """Wait; the test's own time limit ends what never comes."""
    while not holds():
        time.sleep(0.01)


def assert_same(shop: Shop, recorded: pl.DataFrame) -> None:
    """Server and Run must agree on every request: its id, the pod that served it, and its status."""
    served = Counter((entry.request_id, entry.pod, entry.status) for entry in shop.book)
    unanswered = recorded.filter(pl.col("status") == 0).select("route", "error", "start_s", "end_s").rows()
    assert Counter(recorded.select("request_id", "pod", "status").rows()) == served, unanswered


def test_every_request_the_server_counted_is_in_the_run(shop: Shop, tmp_path: Path) -> None:
    shop.fail_every = 5
    shown = io.StringIO()
    result = run_load(
        "spike",
        run_dir=tmp_path,
        host=shop.url,
        parameters=BRIEF,
        progress=Console(file=shown, force_terminal=True, width=140),
        folder=LOADTESTS,
    )
    recorded = rows(tmp_path)
    assert_same(shop, recorded)
    assert result.exit_status == 0
    assert result.requests == recorded.height == len(shop.book) > 50
    assert result.failures == sum(entry.status == 503 for entry in shop.book) > 0
    assert result.window_s == (recorded["intended_start_s"].min(), recorded["end_s"].max())
    assert result.parameters["spike_users"] == "8"
    assert result.parameters["seed"] == "1"
    assert f"{recorded.height} requests" in shown.getvalue()

    attempts = [line for _, line in read_jsonl(tmp_path / "orders.jsonl")]
    orders = recorded.filter(pl.col("route").is_in(["POST /api/v1/orders", "POST /api/v2/orders"]))
    assert len(attempts) == orders.height > 0
    assert sum(attempt["order"] == "x" for attempt in attempts) == orders["ok"].sum()
    assert {attempt["account"] for attempt in attempts} <= {f"acct-{number:04d}" for number in range(1, 51)}

    failed = recorded.filter(~pl.col("ok"))
    assert set(failed.select("status", "error").rows()) == {(503, "HTTP 503")}
    assert recorded.filter(pl.col("ok"))["error"].null_count() == recorded.height - failed.height
    assert set(recorded["route"]) <= {
        "GET /api/v1/products",
        "GET /api/v1/products/{id}",
        "POST /api/v2/auth/token",
        "POST /api/v1/orders",
        "POST /api/v2/orders",
        "GET /api/v2/orders/{id}",
    }
    # The clocks of both sides are one machine's: what arrived at the server lies within the client's span.
    arrived = {entry.request_id: entry.arrived_s for entry in shop.book}
    for row in recorded.iter_rows(named=True):
        assert row["intended_start_s"] <= row["start_s"] <= row["end_s"]
        assert row["start_s"] - 0.005 <= arrived[row["request_id"]] <= row["end_s"] + 0.005
    # The step: eight users at most at a time, and more of them in the spike than before it.
    begun = recorded["intended_start_s"].min()
    assert isinstance(begun, float)
    spike = recorded.filter((pl.col("start_s") - begun).is_between(1.5, 3.5))
    warm = recorded.filter(pl.col("start_s") - begun < 0.5)
    assert warm["user"].n_unique() <= 2
    assert 2 < spike["user"].n_unique() <= 8


def test_a_stall_shows_in_latency_from_the_intended_start(shop: Shop, tmp_path: Path) -> None:
    users, rps, stall_s = 5, 5.0, 3.0

    def stall() -> None:
        until(lambda: shop.begun >= 20)
        shop.hold_until_s = time.time() + stall_s

    thread = threading.Thread(target=stall)
    thread.start()
    drive(
        shop,
        tmp_path,
        "steady",
        steady_users=str(users),
        steady_s="7",
        rps=str(rps),
        arrivals="constant",
    )
    thread.join()
    recorded = rows(tmp_path)
    assert_same(shop, recorded)
    ends_s, begins_s = shop.hold_until_s, shop.hold_until_s - stall_s
    # Whatever was planned during the stall waits at least for its end; its last tenth is left out.
    held = recorded.filter(pl.col("intended_start_s").is_between(begins_s, ends_s - 0.3)).with_columns(
        intended=pl.col("end_s") - pl.col("intended_start_s"),
        service=pl.col("end_s") - pl.col("start_s"),
        least=ends_s - pl.col("intended_start_s"),
    )
    assert held.height == pytest.approx(users * rps * (stall_s - 0.3), rel=0.15)
    # A request that was on its way when the stall began may have been answered just before it.
    assert held.filter(pl.col("intended") < pl.col("least") - 0.005).height <= users
    mean_s = statistics.mean(held["intended"].to_list())
    assert mean_s >= 0.9 * (stall_s + 0.3) / 2
    # Latency from the real start hides the stall: only the one request each user had under way shows it.
    assert held.filter(pl.col("service") > stall_s / 2).height <= users
    assert statistics.mean(held["service"].to_list()) < mean_s / 2


def test_an_unanswered_request_is_a_failure_and_is_not_tried_again(shop: Shop, tmp_path: Path) -> None:
    shop.hang_up_on = "GET /api/v1/products/"
    drive(shop, tmp_path, "steady", steady_users="4", steady_s="3", rps="5")
    recorded = rows(tmp_path)
    dropped = recorded.filter(pl.col("route") == "GET /api/v1/products/{id}")
    assert dropped.height == sum(entry.status == 0 for entry in shop.book) > 3
    assert set(dropped.select("status", "ok", "pod").rows()) == {(0, False, None)}
    assert all("closed" in error for error in dropped["error"])
    assert recorded.height == len(shop.book)


def test_requests_under_way_at_the_end_are_waited_for(shop: Shop, tmp_path: Path) -> None:
    shop.answer_after_s = 1.5
    drive(shop, tmp_path, "steady", steady_users="6", steady_s="2", rps="3")
    recorded = rows(tmp_path)
    assert_same(shop, recorded)
    begun = recorded["intended_start_s"].min()
    ended = recorded["end_s"].max()
    assert isinstance(begun, float)
    assert isinstance(ended, float)
    assert ended - begun > 2
    # One request every 1.5 s cannot keep a plan of three a second, and the Run says how far it fell short.
    assert any("planned starts passed without a request" in note for note in notes(tmp_path))


LATE = f"""
import sys, time
import gevent
sys.path.insert(0, {str(LOADTESTS)!r})
from locust import events
from steady import Shopper, Steady, scenario

def be_busy():
    until_s = time.perf_counter() + 0.5
    while time.perf_counter() < until_s:
        pass

@events.test_start.add_listener
def quit_early(environment, **_):
    gevent.spawn_later(2, environment.runner.quit)

@events.test_stopping.add_listener
def fall_behind(**_):
    gevent.spawn(be_busy)  # runs once the orders to stop are given and before they are carried out
"""


def test_users_whose_slot_falls_due_as_they_are_stopped_do_not_abandon_it(shop: Shop, tmp_path: Path) -> None:
    scenarios, run_dir = tmp_path / "scenarios", tmp_path / "run"
    scenarios.mkdir()
    run_dir.mkdir()
    (scenarios / "late.py").write_text(LATE)
    # While the generator is busy, slots and the orders to stop come to be due together.
    parameters = {"steady_users": "20", "steady_s": "60", "rps": "2"}
    run_load("late", run_dir=run_dir, host=shop.url, parameters=parameters, progress=None, folder=scenarios)
    recorded = rows(run_dir)
    assert recorded.filter(~pl.col("ok")).is_empty()
    assert_same(shop, recorded)


def test_the_bound_on_requests_holds_exactly(shop: Shop, tmp_path: Path) -> None:
    result = drive(shop, tmp_path, "steady", steady_users="8", steady_s="60", rps="20", max_requests="37")
    assert len(shop.book) == result.requests == 37
    # Users that wanted to order and came too late have attempted nothing.
    ordered = rows(tmp_path).filter(
        pl.col("route").str.ends_with("/orders") & pl.col("route").str.starts_with("POST")
    )
    assert len(list(read_jsonl(tmp_path / "orders.jsonl"))) == ordered.height


def test_requests_that_take_too_long_are_given_up(shop: Shop, tmp_path: Path) -> None:
    shop.answer_after_s = 2.0
    drive(shop, tmp_path, "steady", steady_users="2", steady_s="1", rps="5", request_timeout_s="0.5")
    recorded = rows(tmp_path)
    assert set(recorded.select("status", "ok", "error").rows()) == {(0, False, "timeout")}
    until(lambda: len(shop.book) == shop.begun)
    assert recorded.height == len(shop.book)


DRIVER = """
import json, sys
from pathlib import Path
from tidegate.load.drive import run_load
parameters = {"steady_users": "5", "steady_s": "60", "rps": "10", "request_timeout_s": "5"}
result = run_load("steady", run_dir=Path(sys.argv[1]), host=sys.argv[2], parameters=parameters,
    progress=None, folder=Path(sys.argv[3]))
print(json.dumps([result.exit_status, result.requests, result.window_s]))
"""


def driver(shop: Shop, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", DRIVER, str(folder), shop.url, str(LOADTESTS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, process_group=0)


def test_an_interrupted_load_loses_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.answer_after_s = 0.2
    with driver(shop, tmp_path) as child:
        until(lambda: len(shop.book) > 60)
        os.killpg(child.pid, signal.SIGINT)  # as a terminal's Ctrl-C: to the whole group of the driver
        printed: Any = json.loads(child.communicate()[0])
    recorded = rows(tmp_path)
    assert_same(shop, recorded)
    assert printed[0] == 130
    assert printed[1] == recorded.height
    assert printed[2] == [recorded["intended_start_s"].min(), recorded["end_s"].max()]


def test_the_load_ends_with_its_driver(shop: Shop, tmp_path: Path) -> None:
    with driver(shop, tmp_path) as child:
        until(lambda: len(shop.book) > 20)
        child.kill()
        child.communicate()
    until(lambda: bool(notes(tmp_path)) and "requests recorded" in notes(tmp_path)[-1])
    recorded = rows(tmp_path)
    assert_same(shop, recorded)
    assert recorded.height < 5 * 10 * 60 / 2  # well before its plan was done


def plain(*flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "locust", "-f", str(LOADTESTS / "steady.py"), "--headless", *flags]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


def test_plain_locust_runs_the_scenario_and_writes_nothing(shop: Shop, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    done = plain("--host", shop.url, "--steady-users", "2", "--steady-s", "2", "--rps", "5")
    assert done.returncode == 0, done.stderr
    assert "GET /api/v1/products" in done.stdout + done.stderr
    assert len(shop.book) > 5
    assert sorted(tmp_path.iterdir()) == before


def test_requests_cut_off_by_a_short_drain_are_recorded_as_abandoned(shop: Shop, tmp_path: Path) -> None:
    shop.answer_after_s = 4.0
    flags = ("--steady-users", "3", "--steady-s", "1", "--rps", "10", "--stop-timeout", "1")
    done = plain("--host", shop.url, *flags, TIDEGATE_RUN=str(tmp_path))
    assert "planned starts passed unsent" in done.stderr
    recorded = rows(tmp_path)
    assert recorded.height == shop.begun == 3
    assert set(recorded.select("status", "ok").rows()) == {(0, False)}
    assert all("abandoned" in error for error in recorded["error"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--host", "http://192.0.2.1:9"), "error: load goes to this machine only (192.0.2.1)."),
        (("--host", "http://192.0.2.1:9", "--allow-host", "192.0.2.2"), "this machine only"),
        ((), "error: no host was given."),
        (("--host", "http://127.0.0.1:9", "--rps", "0"), "error: --rps 0.0: Input should be greater than 0"),
    ],
)
def test_plain_locust_refuses_in_one_line(flags: tuple[str, ...], message: str) -> None:
    done = plain(*flags)
    assert done.returncode == 3
    assert message in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_without_the_accounts_password_there_is_no_load() -> None:
    done = plain("--host", "http://127.0.0.1:9", TIDEGATE_DEMO_PASSWORD="")
    assert done.returncode == 3
    assert "error: no password of the seeded accounts" in done.stderr.splitlines()[-1]


def test_a_load_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="load goes to this machine only") as caught:
        run_load(
            "steady",
            run_dir=tmp_path,
            host="http://192.0.2.1:9",
            parameters={},
            progress=None,
            folder=LOADTESTS,
        )
    assert "\n" not in str(caught.value)
