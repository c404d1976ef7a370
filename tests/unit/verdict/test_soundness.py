from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.synthetic_run import T0, build_run

from tidegate.run import MetricRow, RequestRow, RunReader, metric_writer, new_run, request_writer
from tidegate.verdict.soundness import Doubt, doubts, generator_lag

Record = Callable[[Sequence[tuple[float, float, float, int]]], RunReader]


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """Record requests given as offsets (intended, start, end) and user."""
    plan = RunReader(build_run(tmp_path / "template")).plan

    def recorded(requests: Sequence[tuple[float, float, float, int]]) -> RunReader:
        folder = new_run(tmp_path, plan)
        with request_writer(folder, "w") as writer:
            for intended, start, end, user in requests:
                moments = (T0 + intended, T0 + start, T0 + end)
                writer.append(RequestRow(*moments, "GET", "GET /x", 200, True, None, None, None, user, 0))
        return RunReader(folder)

    return recorded


def test_waiting_for_the_answer_before_is_the_services_doing(record: Record) -> None:
    lag = generator_lag(record([(0, 0, 5, 1), (1, 5, 6, 1), (2, 6.125, 7, 1)]))
    assert lag is not None
    assert lag.p99_ms == pytest.approx(125, abs=0.01)
    assert lag.queued_percent == pytest.approx(200 / 3)
    assert lag.sound


def test_coming_late_to_a_free_user_is_the_generators_doing(record: Record) -> None:
    run = record([(0, 0, 0.5, 1), (1, 1.5, 2, 1), (1, 1, 4, 2)])
    lag = generator_lag(run)
    assert lag is not None
    assert lag.p99_ms == pytest.approx(500, abs=0.01)
    assert lag.queued_percent == 0
    assert not lag.sound
    assert Doubt.GENERATOR in {about for about, _ in doubts(run)}


def test_requests_of_unknown_users_say_nothing_about_waiting(record: Record) -> None:
    lag = generator_lag(record([(0, 0, 5, -1), (1, 1, 2, -1)]))
    assert lag is not None
    assert (lag.queued_percent, lag.p99_ms) == (0, 0)


def test_a_request_before_the_window_may_keep_its_user_busy(record: Record) -> None:
    lag = generator_lag(record([(-10, -10, 3, 1), (0, 3, 4, 1)]))
    assert lag is not None
    assert (lag.count, lag.queued_percent) == (1, 100)
    assert lag.p99_ms == pytest.approx(0, abs=0.01)


def test_a_late_event_loop_counts_too(record: Record) -> None:
    run = record([(0, 0, 1, 1)])
    with metric_writer(run.path, "load") as writer:
        writer.append(MetricRow(T0 - 5, T0 - 5, "generator_lag_s", "{}", 9.0, None))
        writer.append(MetricRow(T0 + 5, T0 + 5, "generator_lag_s", "{}", 0.375, None))
    lag = generator_lag(RunReader(run.path))
    assert lag is not None
    assert lag.p99_ms == pytest.approx(375)


def test_without_requests_there_is_no_lag(record: Record) -> None:
    assert generator_lag(record([])) is None
