"""One load from several processes, and its one record."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import polars as pl
from support.tiny import tiny_server

from tidegate.load.drive import LoadResult, run_load
from tidegate.load.shares import USERS_A_PROCESS
from tidegate.run import read_jsonl

GET = Path(__file__).parents[3] / "bench" / "loadtests"


def load(url: str, folder: Path, **parameters: str) -> LoadResult:
    return run_load("get", run_dir=folder, host=url, parameters=parameters, progress=None, folder=GET)


def rows(folder: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in sorted((folder / "requests").glob("*.parquet")))


def unsent(folder: Path) -> int:
    metrics = pl.concat(pl.read_parquet(path) for path in (folder / "metrics").glob("*.parquet"))
    counted = metrics.filter(pl.col("name") == "generator_unsent_total")
    return int(counted.group_by("labels").agg(pl.col("value").max())["value"].sum())


def writers(folder: Path) -> set[str]:
    return {path.name.rsplit("-", 1)[0] for path in (folder / "requests").glob("*.parquet")}


def levels(folder: Path) -> set[str]:
    return {str(note["level"]) for _, note in read_jsonl(folder / "recorder.jsonl")}


def test_arrivals_are_shared_and_none_is_lost_or_doubled(tmp_path: Path) -> None:
    with tiny_server() as server:
        result = load(server.url, tmp_path, processes="2", rate_rps="60", get_s="5", arrivals="constant")
        told = server.end()
    recorded = rows(tmp_path)
    assert told["count"] == recorded.height == result.requests
    assert recorded["request_id"].n_unique() == recorded.height
    # On a machine too busy to start them all they are counted, and not forgotten.
    assert recorded.height + unsent(tmp_path) == 300
    assert len(writers(tmp_path)) == 2
    assert levels(tmp_path) <= {"info", "warning"}
    # Every other arrival is one process's: a thirtieth of a second from each of its own to the next.
    for writer in writers(tmp_path):
        own = [pl.read_parquet(path) for path in (tmp_path / "requests").glob(f"{writer}-*.parquet")]
        steps = pl.concat(own)["intended_start_s"].sort().diff().drop_nulls() * 30
        assert [step for step in steps if abs(step - round(step)) > 1e-3] == []
    assert result.parameters["processes"] == "2"


def test_users_are_shared_and_have_numbers_of_their_own(tmp_path: Path) -> None:
    with tiny_server() as server:
        load(server.url, tmp_path, processes="2", loop="closed", rate_rps="20", rps="5", get_s="4")
        told = server.end()
    recorded = rows(tmp_path)
    assert told["count"] == recorded.height
    numbers = set(recorded["user"])
    assert len(numbers) == 4
    assert {number // USERS_A_PROCESS for number in numbers} == {0, 1}


def test_the_bound_on_requests_is_shared(tmp_path: Path) -> None:
    with tiny_server() as server:
        load(
            server.url,
            tmp_path,
            processes="2",
            loop="closed",
            rate_rps="40",
            rps="5",
            get_s="60",
            max_requests="31",
        )
        told = server.end()
    assert told["count"] == rows(tmp_path).height == 31


def test_the_slice_of_a_lost_process_moves_to_another_and_the_run_says_so(tmp_path: Path) -> None:
    rate_rps, get_s = 40, 25

    def kill_one() -> None:
        while len(writers(tmp_path)) < 2:
            time.sleep(0.05)
        name = sorted(writers(tmp_path))[0]
        os.kill(int(name.rsplit("-", 1)[1]), signal.SIGKILL)

    thread = threading.Thread(target=kill_one)
    with tiny_server() as server:
        thread.start()
        load(
            server.url, tmp_path, processes="2", rate_rps=str(rate_rps), get_s=str(get_s), arrivals="constant"
        )
        thread.join()
    recorded = rows(tmp_path)
    ended_s = recorded["intended_start_s"].max()
    assert isinstance(ended_s, float)
    # At the end the whole rate is offered again, by the process that is left.
    last = recorded.filter(pl.col("intended_start_s") > ended_s - 3)
    assert last.height >= 0.9 * 3 * rate_rps
    notes = [(note["level"], str(note["what"])) for _, note in read_jsonl(tmp_path / "recorder.jsonl")]
    assert any(
        level == "error" and "1 of 2 generating processes ended early" in what for level, what in notes
    )
