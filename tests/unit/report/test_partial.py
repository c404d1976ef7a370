"""Runs that lack something: the report says so and never fails."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.synthetic_run import SLO, build_run

from tidegate.models import ClusterConfig, Plan, Policy, Slo
from tidegate.report import collect, write_report
from tidegate.run import RunReader, new_run
from tidegate.verdict import judge


def empty_run(folder: Path, slo: Slo = SLO) -> Path:
    plan = Plan(
        run_id="empty", created_s=1.7e9, scenario="none", policy=Policy(), slo=slo, cluster=ClusterConfig()
    )
    return new_run(folder, plan)


def words(run: Path) -> str:
    return write_report(run).read_text(encoding="utf-8")


def test_an_empty_run(tmp_path: Path) -> None:
    html = words(empty_run(tmp_path))
    assert ">NOT JUDGED</h1>" in html
    for sentence in (
        "This run has no verdict yet",
        "None was recorded in the load window.",
        "Nothing was recorded that could show a breach.",
        "Nothing of the autoscaler was recorded, so there are no scale events to show.",
        "No pod was recorded, so there are no lives to draw.",
        "has not been judged, so there are no checks",
        "The recorders left no note.",
    ):
        assert sentence in html, sentence


def test_an_empty_run_has_empty_figures(tmp_path: Path) -> None:
    data = collect(RunReader(empty_run(tmp_path)))
    assert data.totals.requests == 0
    assert data.totals.availability_percent is None
    assert data.latency_ms["reads"].p99 is None
    assert data.series.load is None
    assert data.series.cpu is None
    assert data.scale_events == ()
    assert data.domain_x[1] > data.domain_x[0]


def test_an_empty_run_that_was_judged(tmp_path: Path) -> None:
    run = empty_run(tmp_path)
    judge(RunReader(run))
    assert ">COULD NOT TELL</h1>" in words(run)


def test_an_slo_without_latency_objectives(tmp_path: Path) -> None:
    run = build_run(tmp_path, slo=Slo(availability_percent=99))
    assert list(collect(RunReader(run)).latency_ms) == ["other"]
    assert "no objective" in words(run)


@pytest.mark.parametrize("load_window", [True, False])
@pytest.mark.parametrize(
    "missing", ["requests", "metrics", "cluster.jsonl", "faults.jsonl", "recorder.jsonl"]
)
def test_a_run_without_one_of_its_files(tmp_path: Path, missing: str, load_window: bool) -> None:
    run = build_run(tmp_path, load_window=load_window, stride=5)
    path = run / missing
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
    judge(RunReader(run))
    data = collect(RunReader(run))
    assert (data.series.load is None) == (missing == "requests")
    assert (data.series.ready is None) == (missing == "cluster.jsonl")
    assert (data.faults == ()) == (missing == "faults.jsonl")
    assert "</html>" in words(run)


@pytest.mark.parametrize("kept", ["requests", "metrics", "cluster.jsonl"])
def test_a_run_with_one_file_only(tmp_path: Path, kept: str) -> None:
    run = build_run(tmp_path, stride=5)
    for path in run.iterdir():
        if path.name in (kept, "plan.json"):
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    data = collect(RunReader(run))
    assert bool(data.totals.requests) == (kept == "requests")
    assert bool(data.pods) == (kept == "cluster.jsonl")
    # Metrics alone still show CPU: the container's name tells which pods are web.
    assert bool(data.series.cpu and data.series.cpu.pods) == (kept == "metrics")
    assert "</html>" in words(run)


def test_a_torn_record_is_told(tmp_path: Path) -> None:
    run = build_run(tmp_path, stride=5)
    with (run / "cluster.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"received_s": 17')
    assert "the last line of cluster.jsonl is torn" in words(run)


def test_pods_that_never_became_ready(tmp_path: Path) -> None:
    from dataclasses import replace

    from support.synthetic_run import Shape

    pods = tuple(replace(pod, started=None, ready=None) if "new" in pod.name else pod for pod in Shape().pods)
    run = build_run(tmp_path, pods=pods, stride=5)
    data = collect(RunReader(run))
    assert data.scale_events[0].total_s is None
    assert data.reaction.ready_t_s is None
    html = words(run)
    assert "incomplete" in html
    assert "not seen: started, ready, first request" in html
    assert "No new pod was Ready after it." in html
