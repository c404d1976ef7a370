"""What a Run under churn says, from its files alone."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from support.synthetic_run import REQUESTS, T0, build_run

from tidegate.bench.churn_figures import ChurnFigures, ChurnRun, Orders, together
from tidegate.bench.churned import churn_run
from tidegate.bench.churning import OPERATIONS_FILE
from tidegate.errors import TidegateError
from tidegate.models import Outcome
from tidegate.run import JsonlWriter, MetricRow, RequestRow, metric_writer, request_writer
from tidegate.run.format import ORDERS_FILE

OUT, IN, UPDATE = "scale_out", "scale_in", "rolling_update"
# In the synthetic run two web pods become nine, all Ready before 70 s, and seven are told to go at 191.45 to
# 191.83 s.
ALL = ((OUT, 40.0, 70.0, ""), (IN, 190.0, 200.0, ""), (UPDATE, 210.0, 220.0, ""))


def churned(
    folder: Path,
    *operations: tuple[str, float, float | None, str],
    orders: tuple[int, int, int] | None = (0, 0, 0),
    **shape: Any,
) -> Path:
    """The synthetic run with operations (kind, begin, end, problem) and what the audit found."""
    path = build_run(folder, **{"failures": 0, **shape})
    with JsonlWriter(path / OPERATIONS_FILE) as writer:
        for kind, begin, end, problem in operations:
            writer.write({"t_s": T0 + begin, "operation": kind, "phase": "begin"})
            if end is not None:
                writer.write({"t_s": T0 + end, "operation": kind, "phase": "end", "problem": problem})
    with JsonlWriter(path / ORDERS_FILE) as writer:
        for order in ("1", "2", None):
            writer.write({"t_s": T0, "account": "a", "order": order})
    if orders is not None:
        with metric_writer(path, "ledger") as series:
            for name, count in zip(("lost", "doubled", "undecided"), orders, strict=True):
                series.append(MetricRow(T0 + 250, T0 + 250, f"orders_{name}", "{}", float(count), None))
    return path


def figures(*runs: ChurnRun, wanted: int = 100) -> ChurnFigures:
    return together(runs, high=9, low=2, wanted=wanted)


def failing(path: Path, start: float, pod: str | None) -> None:
    """Add a request that failed at `start`."""
    at_s = T0 + start
    row = RequestRow(at_s, at_s, at_s + 0.5, "GET", "GET /x", 0, False, "ConnectionReset", pod, None, 9999, 0)
    with request_writer(path, "failing") as writer:
        writer.append(row)


def test_all_is_well(tmp_path: Path) -> None:
    found = figures(churn_run(churned(tmp_path, *ALL)))
    assert (found.outcome, found.reasons) == (Outcome.HELD, ())
    assert (found.requests, found.failed) == (REQUESTS, 0)
    assert found.failed_at_most_percent == pytest.approx(0.0505, abs=0.001)  # z^2 / (n + z^2)


def test_operations_have_their_pods_and_times(tmp_path: Path) -> None:
    out, back, update = churn_run(churned(tmp_path, *ALL)).operations
    assert (out.from_ready, out.to_ready, out.pods_ended, out.took_s) == (2, 9, 0, 30.0)
    assert (back.from_ready, back.to_ready, back.pods_ended, back.took_s) == (9, 2, 7, 10.0)
    assert update.pods_ended == 0


def test_requests_under_way_during_an_operation_are_counted(tmp_path: Path) -> None:
    run = churn_run(churned(tmp_path, *ALL, latency_factor=0.0))
    # 60 a second until 120, then 10.
    assert [one.requests for one in run.operations] == [1800, 100, 100]
    assert run.requests_during == 2000


def test_a_request_counts_once_however_many_operations_it_met(tmp_path: Path) -> None:
    twice = ((OUT, 40.0, 70.0, ""), (IN, 40.0, 70.0, ""))
    assert churn_run(churned(tmp_path, *twice, latency_factor=0.0)).requests_during == 1800


def test_a_failure_tells_what_was_under_way_and_when_its_pod_was_told_to_go(tmp_path: Path) -> None:
    path = churned(tmp_path, *ALL)
    failing(path, 195.0, "tidegate-web-new0")  # told to go at 191.45
    found = figures(churn_run(path))
    assert (found.outcome, found.reasons) == (Outcome.NOT_HELD, (f"1 of {REQUESTS + 1} requests failed",))
    (one,) = found.failures
    assert (one.route, one.status, one.error, one.operation) == ("GET /x", 0, "ConnectionReset", "scale-in")
    assert one.pod_told_s == pytest.approx(3.55)
    assert one.after_s == pytest.approx(0.5)
    assert found.runs[0].operations[1].failed == 1


def test_a_failure_at_rest_without_a_pod(tmp_path: Path) -> None:
    path = churned(tmp_path, *ALL)
    failing(path, 150.0, None)
    (one,) = churn_run(path).failures
    assert (one.operation, one.pod, one.pod_told_s) == ("", None, None)


def test_all_failures_are_counted_and_the_first_are_told(tmp_path: Path) -> None:
    path = churned(tmp_path, *ALL, failures=50)
    late = T0 + 2  # meant to start before all others, and sent after the first of them
    row = RequestRow(T0, late, late, "GET", "GET /late", 503, False, "HTTP 503", None, None, 9999, 0)
    with request_writer(path, "late") as writer:
        writer.append(row)
    run = churn_run(path)
    assert (run.failed, len(run.failures)) == (51, 20)
    assert [one.start_s for one in run.failures] == sorted(one.start_s for one in run.failures)


@pytest.mark.parametrize(
    ("orders", "outcome", "reason"),
    [
        ((1, 0, 0), Outcome.NOT_HELD, "1 of 2 acknowledged orders were lost"),
        ((0, 3, 0), Outcome.NOT_HELD, "3 orders were there more often"),
        ((0, 0, 2), Outcome.COULD_NOT_TELL, "2 orders were still undecided"),
        (None, Outcome.COULD_NOT_TELL, "nobody knows whether orders were lost"),
    ],
)
def test_orders_count_as_the_audit_found_them(
    tmp_path: Path, orders: tuple[int, int, int] | None, outcome: Outcome, reason: str
) -> None:
    found = figures(churn_run(churned(tmp_path, *ALL, orders=orders)))
    assert found.outcome is outcome
    assert any(reason in said for said in found.reasons)


def test_attempts_and_acknowledged_orders_are_those_of_the_load(tmp_path: Path) -> None:
    orders = churn_run(churned(tmp_path, *ALL)).orders
    assert orders == Orders(attempts=3, acknowledged=2, lost=0, doubled=0, undecided=0)


def test_too_few_requests_prove_nothing(tmp_path: Path) -> None:
    found = figures(churn_run(churned(tmp_path, *ALL)), wanted=100_000)
    assert found.outcome is Outcome.COULD_NOT_TELL
    assert found.reasons == (f"{REQUESTS} requests were made, 100000 are needed",)


def test_each_kind_must_have_been_done(tmp_path: Path) -> None:
    found = figures(churn_run(churned(tmp_path, ALL[0])))
    assert found.outcome is Outcome.COULD_NOT_TELL
    assert found.reasons == ("no scale-in was through", "no rolling update was through")


def test_one_that_was_given_up_is_a_reason(tmp_path: Path) -> None:
    given_up = (IN, 222.0, 230.0, "scale-in: not through after 8 s: the autoscaler keeps 9 replicas")
    found = figures(churn_run(churned(tmp_path, *ALL, given_up)))
    assert found.outcome is Outcome.COULD_NOT_TELL
    assert "the autoscaler keeps 9 replicas" in found.reasons[0]
    assert [kind.count for kind in found.kinds] == [1, 1, 1]


def test_one_whose_end_nothing_tells_is_a_reason(tmp_path: Path) -> None:
    run = churn_run(churned(tmp_path, *ALL, (OUT, 230.0, None, "")))
    assert run.operations[-1].took_s is None
    assert "nothing tells how it ended" in figures(run).reasons[0]


def test_a_recorder_that_lost_requests_leaves_the_question_open(tmp_path: Path) -> None:
    notes = ((100.0, "error", "locust: a process was lost", None),)
    found = figures(churn_run(churned(tmp_path, *ALL, notes=notes)))
    assert found.outcome is Outcome.COULD_NOT_TELL
    assert any("a process was lost" in said for said in found.reasons)


def test_workers_that_went_are_counted(tmp_path: Path) -> None:
    workers = churn_run(churned(tmp_path, *ALL)).workers
    # The worker pod is killed at 100 s and its successor is Ready at 104.
    assert (workers.ended, workers.most_ready, workers.fewest_ready) == (1, 1, 0)


def test_figures_are_over_all_runs(tmp_path: Path) -> None:
    longer = ((OUT, 40.0, 90.0, ""), *ALL[1:])
    first, second = churn_run(churned(tmp_path / "a", *ALL)), churn_run(churned(tmp_path / "b", *longer))
    found = figures(first, second)
    assert found.requests == 2 * REQUESTS
    assert found.orders == Orders(attempts=6, acknowledged=4, lost=0, doubled=0, undecided=0)
    out = found.kinds[0]
    assert (out.count, out.p50_s, out.longest_s) == (2, 30.0, 50.0)
    assert found.workers_ended == 2
    unknown = churn_run(churned(tmp_path / "c", *ALL, orders=None))
    assert figures(first, unknown).orders is None


def test_nothing_at_all_could_not_tell() -> None:
    found = figures()
    assert found.outcome is Outcome.COULD_NOT_TELL
    assert found.failed_at_most_percent is None


def test_a_load_that_was_broken_off_is_no_proof(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="never ran to its end"):
        churn_run(churned(tmp_path, *ALL, load_window=False))


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = churned(tmp_path)
    with JsonlWriter(path / OPERATIONS_FILE) as writer:
        writer.write({"t_s": time.time(), "operation": "explosion", "phase": "begin"})
    with pytest.raises(TidegateError, match=r"operations\.jsonl:1"):
        churn_run(path)


def test_figures_survive_json(tmp_path: Path) -> None:
    found = figures(churn_run(churned(tmp_path, *ALL, failures=3)))
    assert ChurnFigures.model_validate_json(found.model_dump_json()) == found
