from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.synthetic_run import T0, build_run

from tidegate.run import RunReader, RunWriter, hpa_series, new_run, peak_desired, rescales


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunReader:
    return RunReader(build_run(tmp_path_factory.mktemp("run")))


@pytest.fixture
def record(tmp_path: Path, run: RunReader) -> RunWriter:
    return RunWriter(new_run(tmp_path, run.plan))


def hpa(desired: int | None, percent: int | None = None) -> dict[str, Any]:
    status: dict[str, Any] = {"currentReplicas": 2}
    if desired is not None:
        status["desiredReplicas"] = desired
    if percent is not None:
        current = {"averageUtilization": percent}
        status["currentMetrics"] = [
            {"type": "Resource", "resource": {"name": "memory", "current": {"averageUtilization": 1}}},
            {"type": "Resource", "resource": {"name": "cpu", "current": current}},
        ]
    return {"metadata": {"name": "tidegate-web"}, "spec": {"maxReplicas": 12}, "status": status}


def deployment(replicas: int) -> dict[str, Any]:
    return {"metadata": {"name": "tidegate-web"}, "spec": {"replicas": replicas}}


def rescaled(size: int, at: str) -> dict[str, Any]:
    return {
        "metadata": {"name": "e"},
        "regarding": {"name": "tidegate-web"},
        "reason": "SuccessfulRescale",
        "note": f"New size: {size}; reason: cpu resource utilization above target",
        "eventTime": at,
    }


def test_status_is_typed(run: RunReader) -> None:
    series = hpa_series(run)
    assert [(point.desired, point.current, point.cpu_percent) for point in series[:3]] == [
        (2, 2, 40),
        (6, 2, 180),
        (6, 6, 90),
    ]
    assert (series[0].min_replicas, series[0].max_replicas) == (2, 12)
    assert series[0].conditions[0].type == "AbleToScale"


def test_changes_of_size_are_found_at_their_first_sign(run: RunReader) -> None:
    found = [(round(r.t_s - T0, 6), r.from_replicas, r.to_replicas, r.cpu_percent) for r in rescales(run)]
    assert found == [(41.2, 2, 6, 180), (56.2, 6, 9, 90), (191.2, 9, 2, 12)]


def test_peak_counts_what_stood_at_the_start(run: RunReader) -> None:
    points = hpa_series(run)
    assert peak_desired(points, T0) == 9
    assert peak_desired(points, T0 + 190) == 9
    assert peak_desired(points, T0 + 230) == 2
    assert peak_desired([], T0) == 0


def test_the_status_alone_is_enough(record: RunWriter) -> None:
    record.cluster("SNAPSHOT", "HorizontalPodAutoscaler", hpa(2), received_s=T0)
    record.cluster("MODIFIED", "HorizontalPodAutoscaler", hpa(4, 120), received_s=T0 + 15)
    (found,) = rescales(RunReader(record.folder))
    assert (found.t_s, found.from_replicas, found.to_replicas, found.cpu_percent) == (T0 + 15, 2, 4, 120)


def test_an_event_or_the_deployment_may_come_first(record: RunWriter) -> None:
    record.cluster("SNAPSHOT", "HorizontalPodAutoscaler", hpa(2), received_s=T0)
    record.cluster("ADDED", "Event", rescaled(4, "2026-01-01T00:00:14Z"), received_s=T0 + 14.5)
    record.cluster("MODIFIED", "Deployment", deployment(4), received_s=T0 + 14.75)
    record.cluster("MODIFIED", "HorizontalPodAutoscaler", hpa(4), received_s=T0 + 15)
    (found,) = rescales(RunReader(record.folder))
    assert found.t_s == T0 + 14.5


def test_old_events_lists_other_sizes_and_other_objects_tell_nothing(record: RunWriter) -> None:
    other = deployment(4)
    other["metadata"]["name"] = "tidegate-worker"
    record.cluster("SNAPSHOT", "HorizontalPodAutoscaler", hpa(2), received_s=T0)
    record.cluster("ADDED", "Event", rescaled(4, "2025-12-31T23:00:00Z"), received_s=T0 + 1)
    record.cluster("SNAPSHOT", "Deployment", deployment(4), received_s=T0 + 2)
    record.cluster("MODIFIED", "Deployment", other, received_s=T0 + 3)
    record.cluster("MODIFIED", "Deployment", deployment(3), received_s=T0 + 4)
    record.cluster("MODIFIED", "HorizontalPodAutoscaler", hpa(4), received_s=T0 + 15)
    (found,) = rescales(RunReader(record.folder))
    assert found.t_s == T0 + 15


def test_a_status_without_a_size_is_no_change(record: RunWriter) -> None:
    for second, desired in enumerate((None, 2, None, 2)):
        record.cluster("MODIFIED", "HorizontalPodAutoscaler", hpa(desired), received_s=T0 + second)
    run = RunReader(record.folder)
    assert rescales(run) == []
    assert [point.desired for point in hpa_series(run)] == [0, 2, 0, 2]
