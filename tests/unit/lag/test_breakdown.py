from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.synthetic_run import T0, Pod, Shape, build_run, request_rows

from tidegate.lag import ScaleEvent, breakdown
from tidegate.run import RequestRow, RunReader, request_writer

PODS = {pod.name: pod for pod in Shape().pods}


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[ScaleEvent]:
    return breakdown(RunReader(build_run(tmp_path_factory.mktemp("run"))))


def without(name: str, **changes: Any) -> tuple[Pod, ...]:
    return tuple(replace(pod, **changes) if pod.name == name else pod for pod in Shape().pods)


def test_the_events_of_the_run(events: list[ScaleEvent]) -> None:
    assert [(e.direction, e.from_replicas, e.to_replicas, e.complete) for e in events] == [
        ("up", 2, 6, True),
        ("up", 6, 9, True),
        ("down", 9, 2, True),
    ]
    assert [round(e.t_s - T0, 6) for e in events] == [41.2, 56.2, 191.2]
    assert [len(e.paths) for e in events] == [4, 3, 7]


def test_every_part_of_the_way_up_is_the_one_that_was_played(events: list[ScaleEvent]) -> None:
    first_start: dict[str, float] = {}
    for row in request_rows(Shape()):
        if row.pod is not None:
            first_start[row.pod] = min(row.start_s - T0, first_start.get(row.pod, 1e9))
    for event, sample, decided in ((events[0], 36.0, 41.2), (events[1], 51.0, 56.2)):
        assert event.sample_window_s == 15.0
        for path in event.paths:
            pod = PODS[path.pod]
            marks = (sample, sample + 2, decided, pod.created, pod.scheduled, pod.started, pod.ready)
            assert [mark - T0 for mark in path.marks_s if mark is not None] == pytest.approx(
                [*marks, first_start[path.pod]], abs=1e-6
            )
            assert sum(path.parts_s.values()) == path.total_s


def test_an_event_ends_with_the_pod_that_was_ready_last(events: list[ScaleEvent]) -> None:
    assert [path.pod for path in events[0].paths] == [f"tidegate-web-new{i}" for i in range(4)]
    first, last = events[0].first, events[0].last
    assert first is not None
    assert last is not None
    assert events[0].total_s == last.total_s
    assert events[0].parts_s == last.parts_s
    assert last.parts_s["ready"] > first.parts_s["ready"]


def test_the_way_down_drains(events: list[ScaleEvent]) -> None:
    for path in events[2].paths:
        pod = PODS[path.pod]
        ends = [row.end_s - T0 for row in request_rows(Shape()) if row.pod == path.pod]
        assert pod.deleting is not None
        assert pod.gone is not None
        marks = (191.2, pod.deleting, max(pod.deleting, *ends), pod.gone)
        assert [mark - T0 for mark in path.marks_s if mark is not None] == pytest.approx(
            list(marks), abs=1e-6
        )
        assert sum(path.parts_s.values()) == path.total_s


def test_a_pod_that_never_was_ready_is_last_and_named(tmp_path: Path) -> None:
    pods = without("tidegate-web-new0", ready=None, deleting=None, gone=None)
    event = breakdown(RunReader(build_run(tmp_path, pods=pods)))[0]
    assert not event.complete
    assert event.total_s is None
    assert event.missing == ("tidegate-web-new0: ready", "tidegate-web-new0: first_request")
    assert event.last is not None
    assert event.last.pod == "tidegate-web-new0"
    assert event.first is not None
    assert event.first.complete


def test_pods_that_never_came_are_counted(tmp_path: Path) -> None:
    pods = tuple(pod for pod in Shape().pods if pod.name != "tidegate-web-new6")
    events = breakdown(RunReader(build_run(tmp_path, pods=pods)))
    assert (events[1].absent, events[1].missing) == (1, ("1 pod(s): created",))
    assert (events[2].absent, events[2].complete) == (1, False)


def test_without_metrics_the_sample_is_missing(tmp_path: Path) -> None:
    event = breakdown(RunReader(build_run(tmp_path, metrics=False)))[0]
    assert not event.complete
    assert set(event.paths[0].missing) == {"sample", "visible"}
    assert set(event.paths[0].parts_s) == {"create", "schedule", "start", "ready", "first_request"}


def test_a_successor_of_a_killed_pod_belongs_to_no_event(tmp_path: Path) -> None:
    # A web pod is killed at 60 and replaced; the event of 56.2 has asked for three, and has them already.
    killed = replace(PODS["tidegate-web-old0"], deleting=60.0, gone=62.0)
    heir = Pod("tidegate-web-heir", "web", "tidegate-worker", 60.25, 60.5, 62.0, 64.0)
    pods = (*(killed if pod.name == killed.name else pod for pod in Shape().pods), heir)
    events = breakdown(RunReader(build_run(tmp_path, pods=pods)))
    assert "tidegate-web-heir" not in {path.pod for event in events for path in event.paths}
    assert all(event.complete for event in events)


def test_events_before_the_load_do_not_count(tmp_path: Path) -> None:
    folder = build_run(tmp_path)
    plan = RunReader(folder).plan.with_load_window(T0 + 50, T0 + 240)
    (folder / "plan.json").write_text(plan.model_dump_json())
    assert [event.from_replicas for event in breakdown(RunReader(folder))] == [6, 9]


def test_a_run_without_a_cluster_has_no_events(tmp_path: Path) -> None:
    assert breakdown(RunReader(build_run(tmp_path, cluster=False))) == []


def test_a_request_that_ended_before_ready_was_not_the_first(tmp_path: Path) -> None:
    folder = build_run(tmp_path)
    before = breakdown(RunReader(folder))[0].paths[0]
    ready_s, first_s = before.marks_s[-2:]
    assert ready_s is not None
    assert first_s is not None

    def first_with(start: float, end: float) -> float | None:
        moments = (ready_s + start, ready_s + start, ready_s + end)
        with request_writer(folder, "early") as writer:
            writer.append(RequestRow(*moments, "GET", "GET /x", 200, True, None, before.pod, None, 1, 0))
        return next(p for p in breakdown(RunReader(folder))[0].paths if p.pod == before.pod).marks_s[-1]

    assert first_with(-1.0, -0.5) == first_s
    # Still under way at Ready: the first one served, counted no earlier than Ready.
    assert first_with(-0.25, 0.5) == ready_s
