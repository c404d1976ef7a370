from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.synthetic_run import T0, build_run

from tidegate.models import Outcome
from tidegate.run import MetricRow, RequestRow, RunReader, metric_writer, new_run, request_writer
from tidegate.verdict import assess
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


def test_an_arrival_that_starts_late_has_no_excuse(record: Record) -> None:
    # The second began while the first was under way, and yet nobody had to wait for it.
    lag = generator_lag(record([(0, 0, 5, -1), (1, 1, 2, -1), (3, 3.5, 4, -1)]))
    assert lag is not None
    assert lag.queued_percent == 0
    assert lag.p99_ms == pytest.approx(500, abs=0.01)


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


def sampled(run: RunReader, name: str, *values: float, process: str = "1") -> RunReader:
    with metric_writer(run.path, f"load-{name}-{process}") as writer:
        for number, value in enumerate(values):
            t_s = T0 + number / 2
            writer.append(MetricRow(t_s, t_s, name, f'{{"pid":"{process}"}}', value, None))
    return RunReader(run.path)


def said(run: RunReader) -> list[str]:
    return [sentence for about, sentence in doubts(run) if about is Doubt.GENERATOR]


def test_arrivals_that_were_never_started_make_the_generator_the_limit(record: Record) -> None:
    run = record([(0, 0, 1, -1), (1, 1, 2, -1), (2, 2, 3, -1)])
    assert said(run) == []
    run = sampled(run, "generator_unsent_total", 0, 0, 0)
    assert said(run) == []
    sampled(run, "generator_unsent_total", 0, 2, 2, process="2")
    # The count of a process only grows; the last may be taken when the window is over.
    run = sampled(run, "generator_unsent_total", *([0.0] * 2000), 7, process="3")
    assert len(said(run)) == 1
    assert "could not start 9 arrivals in time (75 %)" in said(run)[0]
    lag = generator_lag(run)
    assert lag is not None
    assert not lag.sound
    check = next(check for check in assess(run).checks if check.name == "generator lag p99")
    assert check.outcome is Outcome.COULD_NOT_TELL
    assert "could not start 9 arrivals" in check.detail


def test_a_process_that_uses_its_whole_core_is_the_limit(record: Record) -> None:
    run = sampled(record([(0, 0, 20, -1)]), "generator_cpu_cores", *([0.4] * 20), process="1")
    assert said(run) == []
    # A tenth of the time is the start; more than that is a limit. Each process counts by itself.
    run = sampled(run, "generator_cpu_cores", *([0.5] * 18), 0.99, 0.99, process="2")
    assert said(run) == []
    run = sampled(run, "generator_cpu_cores", *([0.5] * 17), 0.99, 0.98, 0.99, process="3")
    assert len(said(run)) == 1
    assert "used 0.98 cores or more" in said(run)[0]


def test_the_cpu_of_a_load_of_seconds_is_its_start(record: Record) -> None:
    run = sampled(record([(0, 0, 20, -1)]), "generator_cpu_cores", *([1.0] * 9))
    assert said(run) == []


def test_a_container_at_its_limit_is_the_limit_whatever_its_process_thinks(record: Record) -> None:
    run = sampled(record([(0, 0, 20, -1)]), "generator_cpu_cores", *([0.5] * 20))
    run = sampled(run, "generator_cpu_share", *([0.6] * 18), 1.0, 1.0)
    assert said(run) == []
    run = sampled(run, "generator_cpu_share", *([0.6] * 15), *([0.98] * 5), process="2")
    assert len(said(run)) == 1
    assert "used 98 % of its CPU limit or more" in said(run)[0]


def compared(run: RunReader, pod: str, offset_s: float, within_s: float, at: float = -5) -> RunReader:
    with metric_writer(run.path, f"clocks-{pod}-{at:g}") as writer:
        for name, value in (("generator_clock_s", offset_s), ("generator_clock_within_s", within_s)):
            writer.append(MetricRow(T0 + at, T0 + at, name, f'{{"host":"{pod}"}}', value, None))
    return RunReader(run.path)


def test_a_generator_whose_clock_is_surely_apart_is_doubted(record: Record) -> None:
    run = compared(record([(0, 0, 1, -1)]), "w0", 0.4, 0.001)
    assert said(run) == []
    # It may be right: the question took so long.
    run = compared(run, "w1", -0.9, 0.5)
    assert said(run) == []
    run = compared(run, "w2", -2.0, 0.1, at=50)
    assert len(said(run)) == 1
    assert "at least 1.9 s off this machine's" in said(run)[0]
    check = next(check for check in assess(run).checks if check.name == "generator lag p99")
    assert check.outcome is Outcome.COULD_NOT_TELL
