from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.synthetic_run import T0, Shape, build_run

from tidegate.run import PodLife, RunReader, RunWriter, new_run, peak_ready, pod_lives, ready_series
from tidegate.run.pods import ReadyPoint, ready_steps


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunReader:
    return RunReader(build_run(tmp_path_factory.mktemp("run")))


@pytest.fixture
def record(tmp_path: Path, run: RunReader) -> RunWriter:
    return RunWriter(new_run(tmp_path, run.plan))


def iso(offset: float) -> str:
    return datetime.fromtimestamp(int(T0 + offset), tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def pod(
    *,
    created: float = 0,
    scheduled: float | None = None,
    running: float | None = None,
    ready: float | None = None,
    deleted: float | None = None,
) -> dict[str, Any]:
    """A pod as the API shows it; times are the API's, as offsets."""
    conditions = [
        {"type": kind, "status": "True", "lastTransitionTime": iso(at)}
        for kind, at in (("PodScheduled", scheduled), ("Ready", ready))
        if at is not None
    ]
    if ready is None:
        conditions.append({"type": "Ready", "status": "False", "lastTransitionTime": iso(created)})
    state: dict[str, Any] = (
        {"running": {"startedAt": iso(running)}} if running is not None else {"waiting": {}}
    )
    metadata: dict[str, Any] = {
        "name": "p",
        "uid": "u",
        "creationTimestamp": iso(created),
        "labels": {"app.kubernetes.io/component": "web"},
    }
    if deleted is not None:
        metadata |= {"deletionTimestamp": iso(deleted + 30), "deletionGracePeriodSeconds": 30}
    return {
        "metadata": metadata,
        "spec": {"nodeName": "n"} if scheduled is not None else {},
        "status": {"conditions": conditions, "containerStatuses": [{"state": state}]},
    }


def only(record: RunWriter) -> PodLife:
    (life,) = pod_lives(RunReader(record.folder))
    return life


def offsets(life: PodLife) -> list[float | None]:
    marks = (life.created_s, life.scheduled_s, life.started_s, life.ready_s, life.deleting_s, life.gone_s)
    return [None if mark is None else mark - T0 for mark in marks]


def test_lives_of_a_whole_run_are_the_ones_that_were_played(run: RunReader) -> None:
    lives = {life.name: life for life in pod_lives(run)}
    for played in Shape().pods:
        if played.created > 0:
            marks = (
                played.created,
                played.scheduled,
                played.started,
                played.ready,
                played.deleting,
                played.gone,
            )
            assert offsets(lives[played.name]) == pytest.approx(list(marks), abs=1e-6)
            assert lives[played.name].from_api == frozenset()
            assert (lives[played.name].component, lives[played.name].node) == (played.component, played.node)
    assert len(lives) == len(Shape().pods)
    assert len(pod_lives(run, "web")) == 9


def test_receipt_counts_to_the_millisecond(record: RunWriter) -> None:
    record.cluster("ADDED", "Pod", pod(created=1), received_s=T0 + 1.25)
    record.cluster("MODIFIED", "Pod", pod(created=1, scheduled=1), received_s=T0 + 1.5)
    record.cluster("MODIFIED", "Pod", pod(created=1, scheduled=1, running=2), received_s=T0 + 3.75)
    record.cluster("MODIFIED", "Pod", pod(created=1, scheduled=1, running=2, ready=4), received_s=T0 + 4.5)
    gone = pod(created=1, scheduled=1, running=2, ready=4, deleted=9)
    record.cluster("MODIFIED", "Pod", gone, received_s=T0 + 9.125)
    record.cluster("DELETED", "Pod", gone, received_s=T0 + 15)
    life = only(record)
    assert offsets(life) == [1.25, 1.5, 3.75, 4.5, 9.125, 15]
    assert life.ready_spans == ((T0 + 4.5, T0 + 9.125),)
    assert life.from_api == frozenset()


def test_what_was_there_before_the_recorder_has_the_middle_of_the_apis_second(record: RunWriter) -> None:
    before = pod(created=-50, scheduled=-49, running=-48, ready=-46)
    record.cluster("SNAPSHOT", "Pod", before, received_s=T0)
    life = only(record)
    assert offsets(life) == [-49.5, -48.5, -47.5, -45.5, None, None]
    assert life.from_api == {"created", "scheduled", "started", "ready"}
    assert life.ready_spans == ((T0 - 45.5, None),)


def test_a_deletion_seen_late_ended_the_span_when_it_was_asked_for(record: RunWriter) -> None:
    record.cluster("ADDED", "Pod", pod(created=0, scheduled=0, running=0, ready=0), received_s=T0 + 0.5)
    record.cluster("MODIFIED", "Pod", pod(scheduled=0, running=0, ready=0, deleted=20), received_s=T0 + 40)
    life = only(record)
    assert life.deleting_s == T0 + 20.5
    assert life.ready_spans == ((T0 + 0.5, T0 + 20.5),)


def test_a_pod_that_loses_and_regains_readiness_has_two_spans(record: RunWriter) -> None:
    ready = pod(scheduled=0, running=0, ready=1)
    record.cluster("ADDED", "Pod", ready, received_s=T0 + 1.5)
    record.cluster("MODIFIED", "Pod", pod(scheduled=0, running=0), received_s=T0 + 5)
    record.cluster("MODIFIED", "Pod", pod(scheduled=0, running=0, ready=8), received_s=T0 + 8.25)
    life = only(record)
    assert life.ready_s == T0 + 1.5
    assert life.ready_spans == ((T0 + 1.5, T0 + 5), (T0 + 8.25, None))
    assert ready_series(RunReader(record.folder)) == [
        ReadyPoint(T0 + 1.5, 1),
        ReadyPoint(T0 + 5, 0),
        ReadyPoint(T0 + 8.25, 1),
    ]


def test_one_record_may_show_everything(record: RunWriter) -> None:
    whole = pod(scheduled=0, running=1, ready=2)
    record.cluster("ADDED", "Pod", whole, received_s=T0 + 2.5)
    assert offsets(only(record)) == [2.5, 2.5, 2.5, 2.5, None, None]


def test_a_pod_killed_without_notice_was_deleted_when_it_went(record: RunWriter) -> None:
    record.cluster("ADDED", "Pod", pod(scheduled=0, running=0, ready=0), received_s=T0)
    record.cluster("DELETED", "Pod", pod(scheduled=0, running=0, ready=0), received_s=T0 + 3)
    assert offsets(only(record))[4:] == [3, 3]


def test_an_object_with_nothing_in_it_is_still_a_pod(record: RunWriter) -> None:
    record.cluster("ADDED", "Pod", {"metadata": {"name": "bare"}}, received_s=T0)
    life = only(record)
    assert (life.name, life.component, life.node, offsets(life)) == ("bare", "", None, [0] + [None] * 5)


@given(
    api=st.lists(st.integers(-100, 100), min_size=5, max_size=5),
    received=st.lists(st.floats(-50, 150), min_size=5, max_size=5),
)
def test_marks_never_decrease(
    tmp_path_factory: pytest.TempPathFactory, run: RunReader, api: list[int], received: list[float]
) -> None:
    with RunWriter(new_run(tmp_path_factory.mktemp("pods"), run.plan)) as record:
        seen = (
            pod(created=api[0]),
            pod(created=api[0], scheduled=api[1]),
            pod(created=api[0], scheduled=api[1], running=api[2]),
            pod(created=api[0], scheduled=api[1], running=api[2], ready=api[3]),
            pod(created=api[0], scheduled=api[1], running=api[2], ready=api[3], deleted=api[4]),
        )
        for obj, at in zip(seen, received, strict=True):
            record.cluster("MODIFIED", "Pod", obj, received_s=T0 + at)
    life = only(record)
    alive = [mark for mark in offsets(life)[:4] if mark is not None]
    assert alive == sorted(alive)
    assert life.deleting_s is None or life.deleting_s >= life.created_s
    assert all(end is None or begin <= end for begin, end in life.ready_spans)


@given(
    spans=st.lists(
        st.tuples(st.integers(0, 20), st.none() | st.integers(1, 20)).map(
            lambda pair: (float(pair[0]), None if pair[1] is None else float(pair[0] + pair[1]))
        ),
        max_size=8,
    ),
    start=st.integers(0, 25),
)
def test_ready_steps_and_peak_by_counting(spans: list[tuple[float, float | None]], start: int) -> None:
    lives = [
        PodLife("p", "u", "web", None, 0.0, None, None, None, None, None, (span,), frozenset())
        for span in spans
    ]
    steps = ready_steps(lives)
    at_each = {t: sum(begin <= t and (end is None or t < end) for begin, end in spans) for t in range(60)}
    for step in steps:
        assert step.ready == at_each[int(step.t_s)]
    assert all(before.ready != after.ready for before, after in pairwise(steps))
    assert peak_ready(steps, float(start)) == max(at_each[t] for t in range(start, 60))
