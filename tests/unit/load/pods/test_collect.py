from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.load_cluster import ScriptedPod

from tidegate.errors import TidegateError
from tidegate.load.pods.api import SilentError
from tidegate.load.pods.collect import Collector
from tidegate.run import read_jsonl

MANIFEST: dict[str, Any] = {"spec": {"template": {"metadata": {"labels": {}}}}}


def pod(name: str = "load-1-worker-0-abcde", uid: str = "11112222-33") -> ScriptedPod:
    return ScriptedPod(name, uid, "worker", MANIFEST)


def collector(folder: Path, from_: ScriptedPod) -> Collector:
    def ask(path: str, query: dict[str, str | int]) -> httpx.Response:
        return from_.answer(httpx.Request("GET", "http://a" + path, params=query), path)

    return Collector(folder, from_.name, from_.uid, f"locust-{from_.name}.log", ask)


def test_each_segment_is_taken_once_as_it_appears(tmp_path: Path) -> None:
    worker = pod()
    taking = collector(tmp_path, worker)
    worker.segments = [("requests/w-000000.parquet", b"a" * 12_345)]
    assert not taking.pull().complete
    worker.segments.append(("metrics/w-000000.parquet", b"b"))
    worker.exit_status = 0
    assert taking.pull().complete
    assert (tmp_path / "requests/w-000000.parquet").read_bytes() == b"a" * 12_345
    assert (tmp_path / "metrics/w-000000.parquet").read_bytes() == b"b"
    # Three answers for the first, which is longer than two pieces, and one for the second.
    assert worker.asked.count("GET /file") == 4


def test_a_piece_that_was_damaged_is_asked_for_again_and_nothing_is_taken_twice(tmp_path: Path) -> None:
    worker = pod()
    taking = collector(tmp_path, worker)
    worker.segments = [("requests/w-000000.parquet", b"one"), ("requests/w-000001.parquet", b"two")]
    worker.growing = {"orders.jsonl": b'{"n":1}\n'}
    for path in ("/state", "/file", "/file"):
        worker.damages, worker.damaged = path, 2
        while worker.damaged:
            with pytest.raises(SilentError):
                taking.pull()
    taking.pull()
    found = {path.name: path.read_bytes() for path in (tmp_path / "requests").iterdir()}
    assert found == {"w-000000.parquet": b"one", "w-000001.parquet": b"two"}
    assert [line for _, line in read_jsonl(tmp_path / "orders.jsonl")] == [{"n": 1}]


def test_lines_of_several_pods_become_one_file(tmp_path: Path) -> None:
    pods = [pod(f"w-{number}") for number in range(3)]
    taking = [collector(tmp_path, each) for each in pods]
    for turn in range(4):
        for number, each in enumerate(pods):
            line = json.dumps({"turn": turn, "number": number}).encode() + b"\n"
            each.growing["orders.jsonl"] = each.growing.get("orders.jsonl", b"") + line
            taking[number].pull()
    lines = [(line["turn"], line["number"]) for _, line in read_jsonl(tmp_path / "orders.jsonl")]
    assert sorted(lines) == [(turn, number) for turn in range(4) for number in range(3)]


def test_a_line_on_its_way_waits_and_one_torn_by_the_end_is_left_out(tmp_path: Path) -> None:
    worker = pod()
    taking = collector(tmp_path, worker)
    worker.growing["orders.jsonl"] = b'{"n":1}\n{"n'
    taking.pull()
    assert len(list(read_jsonl(tmp_path / "orders.jsonl"))) == 1
    worker.growing["orders.jsonl"] = b'{"n":1}\n{"n":2}\n{"n":'
    worker.exit_status = 0
    assert taking.pull().complete
    assert [line["n"] for _, line in read_jsonl(tmp_path / "orders.jsonl")] == [1, 2]


def test_two_pods_of_one_name_overwrite_nothing(tmp_path: Path) -> None:
    for uid, data in (("aaaaaaaa-1", b"first"), ("bbbbbbbb-2", b"second")):
        worker = pod(uid=uid)
        worker.segments = [("requests/load-w-0-17-000000.parquet", data)]
        collector(tmp_path, worker).pull()
    assert sorted(path.read_bytes() for path in (tmp_path / "requests").iterdir()) == [b"first", b"second"]


@pytest.mark.parametrize("name", ["../x.parquet", "requests/../x.parquet", "cluster/x.parquet", "requests/x"])
def test_what_is_no_segment_is_not_written(tmp_path: Path, name: str) -> None:
    worker = pod()
    worker.segments = [(name, b"data")]
    folder = tmp_path / "run"
    folder.mkdir()
    with pytest.raises(TidegateError, match="no segment of a Run"):
        collector(folder, worker).pull()
    assert not list(tmp_path.rglob("x*"))


def test_what_is_no_file_of_a_run_is_not_written(tmp_path: Path) -> None:
    worker = pod()
    worker.growing = {"plan.json": b"{}\n"}
    with pytest.raises(TidegateError, match="no file of a Run"):
        collector(tmp_path, worker).pull()
    worker.growing = {"orders.jsonl": b"[]\n"}
    with pytest.raises(TidegateError, match="not a JSON object"):
        collector(tmp_path, worker).pull()


def test_an_answer_that_is_no_state_is_asked_for_again(tmp_path: Path) -> None:
    worker = pod()
    worker.deaf = True
    with pytest.raises(SilentError):
        collector(tmp_path, worker).pull()
