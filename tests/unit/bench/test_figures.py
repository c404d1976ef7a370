from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.added_node import NODE, added_node
from support.synthetic_run import T0, Shape, build_run

from tidegate.bench.figures import PARTS, ScaleRun, scale_run, step_of, together
from tidegate.run import RequestRow, RunReader, request_writer

STEP = 20.5


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stepped(tmp_path_factory.mktemp("run"))


def stepped(folder: Path, **shape: Any) -> Path:
    """The synthetic run, with a user that comes with the step."""
    path = build_run(folder, **shape)
    row = RequestRow(
        T0 + STEP, T0 + STEP, T0 + STEP + 0.1, "GET", "GET /x", 200, True, None, None, None, 9999, 1
    )
    with request_writer(path, "step") as more:
        more.append(row)
    return path


def test_the_step_is_when_the_first_later_user_came(run: Path, tmp_path: Path) -> None:
    # The synthetic run's own 400 users come in turn during its first 20 s; half of warm_s is the bound.
    record = RunReader(run)
    plan = record.plan.model_copy(update={"scenario_parameters": {"warm_s": "40.5"}})
    record.plan = plan
    assert step_of(record) == T0 + STEP
    record.plan = plan.model_copy(update={"scenario_parameters": {"warm_s": "4000"}})
    assert step_of(record) == T0


def test_the_time_counts_from_the_step_to_the_pod_that_made_it_the_number(run: Path) -> None:
    step_s = step_of(RunReader(run)) - T0
    found = scale_run(run, 9)
    last = max((pod for pod in Shape().pods if "web-new" in pod.name), key=lambda pod: pod.ready or 0)
    assert found.last_pod == last.name
    assert found.seconds == pytest.approx((last.ready or 0) - step_s)
    assert (found.began_with, found.most_ready) == (2, 9)
    assert [(one.from_replicas, one.to_replicas) for one in found.decisions] == [(2, 6), (6, 9)]


def test_the_parts_add_up_to_the_time(run: Path) -> None:
    found = scale_run(run, 9)
    assert tuple(found.parts_s) == PARTS
    assert sum(found.parts_s.values()) == pytest.approx(found.seconds)
    step_s = step_of(RunReader(run)) - T0
    # The second decision, at 56.2, rests on the sample that was visible at 53.
    assert found.parts_s["metric"] == pytest.approx(53.0 - step_s)
    assert found.parts_s["decision"] == pytest.approx(3.2)


def test_fewer_pods_are_there_sooner(run: Path) -> None:
    sooner, later = scale_run(run, 6).seconds, scale_run(run, 9).seconds
    assert sooner is not None
    assert later is not None
    assert sooner < later


def test_a_run_that_never_got_there_says_so(run: Path) -> None:
    found = scale_run(run, 10)
    assert (found.seconds, found.parts_s, found.last_pod) == (None, {}, None)
    assert found.most_ready == 9


def test_nodes_that_came_for_it_are_named(tmp_path: Path) -> None:
    (node,) = scale_run(stepped(tmp_path, more=added_node()), 9).nodes
    assert node.node == NODE
    assert node.parts_s["provision"] == 7.75


def test_failed_requests_are_counted(tmp_path: Path) -> None:
    assert scale_run(stepped(tmp_path, failures=7), 9).failed == 7


def run_of(seconds: float | None) -> ScaleRun:
    return ScaleRun(
        run="r",
        began_with=8,
        most_ready=47,
        seconds=seconds,
        parts_s={},
        last_pod=None,
        decisions=(),
        nodes=(),
        requests=100,
        failed=1,
    )


def test_percentiles_are_over_all_runs() -> None:
    figures = together([run_of(float(i)) for i in (30, 10, 20, 40)], 8, 47)
    assert (figures.p50_s, figures.p95_s, figures.reached) == (20, 40, 4)
    assert (figures.requests, figures.failed) == (400, 4)


def test_a_run_that_never_got_there_is_the_longest() -> None:
    figures = together([run_of(None), run_of(10.0), run_of(20.0)], 8, 47)
    assert (figures.p50_s, figures.p95_s, figures.reached) == (20, None, 2)


def test_figures_survive_json() -> None:
    figures = together([run_of(None), run_of(10.0)], 8, 47)
    assert type(figures).model_validate_json(figures.model_dump_json()) == figures
