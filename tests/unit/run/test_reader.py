from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from support.synthetic_run import REQUESTS, T0, WINDOW_S, Shape, build_run, request_rows

from tidegate.errors import TidegateError
from tidegate.models import Check, Outcome, Verdict
from tidegate.run import METRIC_SCHEMA, REQUEST_SCHEMA, RunReader, RunWriter, new_run, save_verdict


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build_run(tmp_path)


def test_requests_of_all_segments_come_back_sorted_and_unchanged(folder: Path) -> None:
    assert len(list((folder / "requests").iterdir())) > 2
    requests = RunReader(folder).requests()
    assert requests.schema == REQUEST_SCHEMA
    assert requests.height == REQUESTS
    assert requests.rows() == [tuple(row) for row in request_rows(Shape())]


def test_metrics_are_sorted_and_selected_by_name(folder: Path) -> None:
    run = RunReader(folder)
    everything, cpu = run.metrics(), run.metrics("pod_cpu_cores")
    assert everything["t_s"].is_sorted()
    assert set(cpu["name"]) == {"pod_cpu_cores"}
    assert 0 < cpu.height < everything.height
    assert run.metrics("nothing").height == 0


def test_an_empty_run_has_the_same_columns(tmp_path: Path, folder: Path) -> None:
    plan = RunReader(folder).plan.model_copy(update={"run_id": "empty"})
    run = RunReader(new_run(tmp_path, plan))
    assert (run.requests().schema, run.requests().height) == (REQUEST_SCHEMA, 0)
    assert (run.metrics().schema, run.metrics().height) == (METRIC_SCHEMA, 0)
    assert (list(run.cluster()), run.faults(), run.notes(), run.verdict, run.damage()) == (
        [],
        [],
        [],
        None,
        {},
    )


def test_the_load_window_includes_both_ends(folder: Path) -> None:
    run = RunReader(folder)
    window = run.window_requests()["intended_start_s"]
    assert (window.min(), window.len()) == (T0, REQUESTS)
    plan = run.plan.with_load_window(T0 + 1, T0 + 2)
    (folder / "plan.json").write_text(plan.model_dump_json())
    window = RunReader(folder).window_requests()["intended_start_s"]
    assert (window.min(), window.max(), window.len()) == (T0 + 1, T0 + 2, 21)


def test_small_files_are_typed(folder: Path) -> None:
    run = RunReader(folder)
    assert run.plan.load_window_s == (T0, T0 + WINDOW_S)
    assert [(fault.name, fault.phase) for fault in run.faults()] == [
        ("worker-kill", "asked"),
        ("worker-kill", "landed"),
        ("worker-kill", "lifted"),
    ]
    assert [(note.level, note.gap_s) for note in run.notes()] == [("info", None)]
    received = [record.received_s for record in run.cluster()]
    assert received == sorted(received)
    check = Check(name="x", outcome=Outcome.HELD, measured=1, threshold=2, unit="s", detail="Well.")
    verdict = Verdict(outcome=Outcome.HELD, checks=(check,), reasons=("So it is.",))
    save_verdict(folder, verdict)
    assert run.verdict == verdict


def test_what_a_crash_leaves_is_skipped_and_named(folder: Path) -> None:
    whole = len(list(RunReader(folder).cluster()))
    (folder / "requests" / ".locust-0-000009.parquet.tmp").write_bytes(b"PAR1")
    for name in ("cluster.jsonl", "recorder.jsonl"):
        path = folder / name
        path.write_bytes(path.read_bytes()[:-3])
    run = RunReader(folder)
    assert run.requests().height == REQUESTS
    assert len(list(run.cluster())) == whole - 1
    assert run.notes() == []
    assert set(run.damage()) == {"requests", "cluster.jsonl", "recorder.jsonl"}


def test_a_damaged_segment_is_named(folder: Path) -> None:
    path = folder / "requests" / "locust-0-000000.parquet"
    whole = path.read_bytes()
    for broken in (whole[:-20], whole[: len(whole) // 2], b""):
        path.write_bytes(broken)
        with pytest.raises(TidegateError, match=r"locust-0-000000\.parquet"):
            RunReader(folder).requests()


def test_a_segment_with_other_columns_is_named(folder: Path) -> None:
    path = folder / "requests" / "z-000000.parquet"
    pl.DataFrame({"intended_start_s": [1.0]}).write_parquet(path)
    with pytest.raises(TidegateError, match=r"columns.*z-000000\.parquet"):
        RunReader(folder).requests()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"type":"ADDED","kind":"Pod","object":{}}', "no 'received_s'"),
        ('{"received_s":"1","type":"ADDED","kind":"Pod","object":{}}', "not a number"),
        ('{"received_s":1,"type":"CHANGED","kind":"Pod","object":{}}', "CHANGED"),
        ('{"received_s":1,"type":"ADDED","kind":"Pod","object":[]}', "not an object"),
    ],
)
def test_a_line_that_is_no_record_is_named(folder: Path, line: str, said: str) -> None:
    path = folder / "cluster.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], line, *lines[1:]]) + "\n")
    with pytest.raises(TidegateError, match=said) as caught:
        list(RunReader(folder).cluster())
    assert f"{path}:2" in str(caught.value)


def test_a_wrong_note_and_a_wrong_fault_are_named(folder: Path) -> None:
    for name in ("faults.jsonl", "recorder.jsonl"):
        (folder / name).write_text('{"t_s": 1}\n')
    run = RunReader(folder)
    with pytest.raises(TidegateError, match=r"faults\.jsonl:1"):
        run.faults()
    with pytest.raises(TidegateError, match=r"recorder\.jsonl:1"):
        run.notes()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema_version": 2}, "version 2 is not known"),
        ({"schema_version": None}, "version None is not known"),
        ({"created_s": -1}, r"plan\.created_s"),
        ({"new": 1}, r"plan\.new"),
    ],
)
def test_a_plan_of_another_make_is_named(folder: Path, change: dict[str, object], said: str) -> None:
    path = folder / "plan.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(TidegateError, match=said) as caught:
        RunReader(folder)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null"])
def test_a_plan_that_is_none_is_named(folder: Path, text: str) -> None:
    (folder / "plan.json").write_text(text)
    with pytest.raises(TidegateError, match=r"plan\.json"):
        RunReader(folder)


def test_a_folder_that_is_no_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="not a run"):
        RunReader(tmp_path / "none")


def test_a_damaged_verdict_is_named(folder: Path) -> None:
    (folder / "verdict.json").write_text('{"outcome": "maybe"}')
    with pytest.raises(TidegateError, match=r"verdict\.json"):
        assert RunReader(folder).verdict is None


def test_a_run_is_made_once(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(TidegateError, match="already there"):
        new_run(tmp_path, RunReader(folder).plan)


def test_records_of_several_writers_meet_in_one_file(folder: Path) -> None:
    before = len(RunReader(folder).notes())
    with RunWriter(folder) as one, RunWriter(folder) as other:
        one.note("info", "one", t_s=2.0)
        other.note("error", "other", t_s=1.0, gap_s=12.5)
        one.note("info", "three", t_s=3.0)
    assert [note.what for note in RunReader(folder).notes()[:3]] == ["other", "one", "three"]
    assert len(RunReader(folder).notes()) == before + 3
