from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.synthetic_run import T0, build_run

from tidegate.lag import breakdown
from tidegate.lag.samples import RPS_WINDOW_S, CpuSamples, Sample
from tidegate.models import Policy
from tidegate.run import MetricRow, Rescale, RunReader, labels_text, metric_writer, new_run

Row = tuple[float, float, str, float]
"""Sample's offset, receipt's offset, pod, percent of a request of 100 m."""


Cause = Callable[..., tuple[float, float] | None]


@pytest.fixture
def cause(tmp_path: Path) -> Cause:
    plan = RunReader(build_run(tmp_path / "template")).plan
    numbers = itertools.count()

    def caused(rows: Sequence[Row], decided: float, percent: int | None = None) -> tuple[float, float] | None:
        folder = new_run(tmp_path / str(next(numbers)), plan)
        with metric_writer(folder, "w") as writer:
            for t, received, pod, used in rows:
                labels = labels_text({"pod": pod, "container": "web", "node": "n"})
                writer.append(MetricRow(T0 + t, T0 + received, "pod_cpu_cores", labels, used / 1000, 15.0))
        found: Sample | None = CpuSamples(RunReader(folder), {"a", "b"}).cause_of(
            Rescale(T0 + decided, 2, 4, percent)
        )
        return None if found is None else (found.sample_s - T0, found.visible_s - T0)

    return caused


def test_the_newest_sample_seen_by_then(cause: Cause) -> None:
    rows = [(0, 2, "a", 50), (15, 17, "a", 50), (14.5, 17, "b", 50), (30, 32, "a", 50)]
    assert cause(rows, 20) == (15, 17)


def test_a_sample_that_is_served_again_was_first_seen_the_first_time(cause: Cause) -> None:
    assert cause([(15, 19, "a", 50), (15, 17, "a", 50), (15, 18, "a", 50)], 20) == (15, 17)


def test_pods_of_others_do_not_count(cause: Cause) -> None:
    assert cause([(0, 2, "a", 50), (15, 17, "worker", 50)], 20) == (0, 2)
    assert cause([(15, 17, "worker", 50)], 20) is None


def test_nothing_seen_is_nothing_known(cause: Cause) -> None:
    assert cause([(15, 25, "a", 50)], 20) is None
    assert cause([], 20) is None


OVERLAP = [(0, 2, "a", 40), (0, 2, "b", 40), (15, 21, "a", 150), (15, 21, "b", 90)]


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(120, (15, 20)), (40, (0, 2)), (77, (0, 2)), (None, (0, 2))],
)
def test_a_set_polled_just_after_the_decision_is_the_cause_if_the_use_says_so(
    cause: Cause,
    percent: int | None,
    expected: tuple[float, float],
) -> None:
    assert cause(OVERLAP, 20, percent) == expected


def test_a_set_polled_long_after_or_taken_after_the_decision_is_not(cause: Cause) -> None:
    late = [row if row[0] == 0 else (row[0], 24.0, row[2], row[3]) for row in OVERLAP]
    assert cause(late, 20, 120) == (0, 2)
    later = [row if row[0] == 0 else (20.5, row[1], row[2], row[3]) for row in OVERLAP]
    assert cause(later, 20, 120) == (0, 2)


def test_a_sample_from_the_future_is_no_earlier_than_seen(cause: Cause) -> None:
    assert cause([(18.5, 18, "a", 50)], 20) == (18, 18)


def test_with_requests_a_second_the_cause_is_the_newest_scrape(tmp_path: Path) -> None:
    policy = Policy.model_validate({"web": {"hpa": {"metric": "rps"}}})
    events = breakdown(RunReader(build_run(tmp_path, policy=policy)))
    # The synthetic run has a scrape every five seconds and decides at 41.2.
    sample_s, visible_s, decided_s, *_ = events[0].paths[0].marks_s
    assert sample_s == visible_s == T0 + 40
    assert decided_s == T0 + 41.2
    assert events[0].sample_window_s == RPS_WINDOW_S
