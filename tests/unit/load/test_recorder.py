from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gevent
import polars as pl
import pytest

from tidegate.errors import TidegateError
from tidegate.load import generator
from tidegate.load.quota import CpuQuota
from tidegate.load.recorder import MARK, Mark, Recorder, error_text
from tidegate.run import REQUEST_SCHEMA, read_jsonl


def rows(folder: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in sorted((folder / "requests").glob("*.parquet")))


def ignore(_: TidegateError) -> None:
    raise AssertionError("writing failed")


def response(status: int, **headers: Any) -> SimpleNamespace:
    return SimpleNamespace(
        status_code=status, headers={name.replace("_", "-"): v for name, v in headers.items()}
    )


def test_a_request_becomes_a_row(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, ignore)
    began_s = time.monotonic()
    recorder.on_request(
        request_type="POST",
        name="POST /api/v1/orders",
        response_time=250.0,
        response_length=42,
        response=response(201, X_Served_By="web-1", X_Request_Id="r-1"),
        context={MARK: Mark(began_s - 1.5, began_s, 7)},
    )
    recorder.close()
    found = rows(tmp_path)
    assert found.schema == REQUEST_SCHEMA
    row = found.row(0, named=True)
    assert row["start_s"] - row["intended_start_s"] == pytest.approx(1.5, abs=1e-6)
    assert row["end_s"] - row["start_s"] == pytest.approx(0.25, abs=1e-6)
    assert row["start_s"] == pytest.approx(recorder.clock.unix_s(began_s), abs=1e-6)
    del row["start_s"], row["intended_start_s"], row["end_s"]
    assert row == {
        "method": "POST",
        "route": "POST /api/v1/orders",
        "status": 201,
        "ok": True,
        "error": None,
        "pod": "web-1",
        "request_id": "r-1",
        "user": 7,
        "bytes": 42,
    }


def test_a_request_of_an_unpaced_user_was_meant_when_it_began(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, ignore)
    failure = ConnectionRefusedError("no")
    recorder.on_request("GET", "/x", 100.0, 0, SimpleNamespace(status_code=0, headers=None), {}, failure)
    recorder.close()
    row = rows(tmp_path).row(0, named=True)
    assert row["intended_start_s"] == row["start_s"]
    assert row["end_s"] - row["start_s"] == pytest.approx(0.1, abs=1e-6)
    assert (row["route"], row["status"], row["ok"], row["pod"]) == ("GET /x", 0, False, None)
    assert row["error"] == "ConnectionRefusedError: no"


class WrappedError(Exception):
    def __init__(self, original: BaseException) -> None:
        super().__init__("retries exceeded")
        self.original = original


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (None, 200, None),
        (WrappedError(TimeoutError("timed out")), 0, "timeout"),
        (gevent.Timeout(30), 0, "timeout"),
        (RuntimeError("bad"), 503, "HTTP 503"),
        (RuntimeError("not JSON"), 200, "RuntimeError: not JSON"),
        (RuntimeError("x" * 999), 0, "RuntimeError: " + "x" * 186),
    ],
)
def test_failures_of_one_cause_read_the_same(
    error: BaseException | None, status: int, text: str | None
) -> None:
    assert error_text(error, status) == text


def test_closing_writes_what_is_left_and_says_how_much(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, ignore)
    recorder.start()
    for number in range(3):
        recorder.on_request("GET", f"/{number}", 1.0, 0)
    recorder.close()
    recorder.close()
    assert rows(tmp_path).height == 3
    notes = [note["what"] for _, note in read_jsonl(tmp_path / "recorder.jsonl")]
    assert notes == ["load generator: 3 requests recorded"]


PROGRAM = """
import sys, gevent
from pathlib import Path
from tidegate.load import recorder as module
module.FLUSH_S = 0.2
recorder = module.Recorder(Path(sys.argv[1]), print)
recorder.start()
number = 0
while True:
    recorder.on_request("GET", f"/{number}", 1.0, 0)
    number += 1
    gevent.sleep(0.001)
"""


def test_what_was_flushed_survives_a_kill(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", PROGRAM, tmp_path])
    try:
        while len(list((tmp_path / "requests").glob("*.parquet"))) < 3:
            assert child.poll() is None
            time.sleep(0.01)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    routes = rows(tmp_path)["route"].to_list()
    # Every segment is readable, and together they hold all requests up to the last flush, each once.
    assert routes == [f"GET /{number}" for number in range(len(routes))]
    assert routes


def test_the_generator_is_sampled(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, ignore)
    recorder.start()
    gevent.sleep(0.1)
    time.sleep(1.0)  # blocks the loop, as a generator does that is short of CPU
    gevent.sleep(0.05)
    recorder.close()
    samples = pl.concat(pl.read_parquet(path) for path in (tmp_path / "metrics").glob("*.parquet"))
    assert set(samples["name"]) == {"generator_lag_s", "generator_cpu_cores"}
    lag_s = samples.filter(pl.col("name") == "generator_lag_s")["value"].to_list()
    assert max(lag_s) >= 0.5
    assert any("s late" in note["what"] for _, note in read_jsonl(tmp_path / "recorder.jsonl"))


def test_a_disk_that_refuses_is_reported_and_the_rows_are_kept(tmp_path: Path) -> None:
    failures: list[TidegateError] = []
    recorder = Recorder(tmp_path, failures.append)
    recorder.on_request("GET", "/a", 1.0, 0)
    (tmp_path / "requests").rename(tmp_path / "away")
    recorder.flush()
    assert len(failures) == 1
    (tmp_path / "away").rename(tmp_path / "requests")
    recorder.on_request("GET", "/b", 1.0, 0)
    recorder.close()
    assert rows(tmp_path)["route"].to_list() == ["GET /a", "GET /b"]


def test_what_a_container_uses_of_its_limit_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = tmp_path / "cpu.stat"
    usage.write_text("usage_usec 0\n")
    monkeypatch.setattr(generator, "cpu_quota", lambda: CpuQuota(0.5, usage, "usage_usec", 1e-6))
    recorder = Recorder(tmp_path, ignore)
    recorder.start()
    gevent.sleep(0.1)
    usage.write_text("usage_usec 200000\n")
    while recorder.health.worst_lag_s == 0:  # the first sample
        gevent.sleep(0.05)
    recorder.close()
    found = pl.concat(pl.read_parquet(path) for path in (tmp_path / "metrics").glob("*.parquet"))
    first = found.filter(pl.col("name") == "generator_cpu_share").row(0, named=True)
    # A fifth of a second, of half a core.
    assert first["value"] * first["window_s"] * 0.5 == pytest.approx(0.2)
