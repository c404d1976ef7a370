from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.synthetic_run import SLO, T0, WINDOW_S, build_run

from tidegate.models import Outcome, Slo, Verdict
from tidegate.run import RunReader
from tidegate.verdict import assess, exit_code, judge

HELD, NOT_HELD, COULD_NOT_TELL = Outcome.HELD, Outcome.NOT_HELD, Outcome.COULD_NOT_TELL
ERROR = (50.0, "error", "the disk was full", None)
GAP = (50.0, "warning", "watch of pods was lost", 12.0)


def slo(**changes: Any) -> Slo:
    return Slo.model_validate(SLO.model_dump() | changes)


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in verdict.checks}


def answers(tmp_path: Path, **overrides: Any) -> tuple[Outcome, dict[str, Outcome]]:
    verdict = assess(RunReader(build_run(tmp_path, **overrides)))
    return verdict.outcome, outcomes(verdict)


def test_a_good_run_is_held_and_says_what_was_measured(tmp_path: Path) -> None:
    folder = build_run(tmp_path)
    verdict = judge(RunReader(folder))
    assert RunReader(folder).verdict == verdict
    assert verdict.outcome is HELD
    assert verdict.reasons == ("All 6 checks held over 7600 requests.",)
    checks = {check.name: check for check in verdict.checks}
    assert list(checks) == [
        "generator lag p99",
        "availability",
        "latency reads p99",
        "latency orders p95",
        "queue age",
        "peak ready web",
    ]
    assert checks["availability"].measured == pytest.approx(100 * 7596 / 7600)
    assert checks["latency reads p99"].measured == 110
    assert checks["latency orders p95"].measured == 1634
    assert checks["queue age"].measured == 2
    assert checks["peak ready web"].measured == 9
    for check in verdict.checks:
        assert check.detail.endswith(".")
        if check.spread is not None and check.measured is not None:
            assert check.spread[0] <= check.measured <= check.spread[1]


def test_assessing_writes_nothing(tmp_path: Path) -> None:
    folder = build_run(tmp_path)
    assess(RunReader(folder))
    assert not (folder / "verdict.json").exists()


@pytest.mark.parametrize(
    ("overrides", "broken"),
    [
        ({"failures": 8}, "availability"),
        ({"latency_factor": 1.3}, "latency orders p95"),
        ({"latency_factor": 12.0}, "latency reads p99"),
        ({"queue_age_s": 30.5}, "queue age"),
        ({"min_peak_ready_web": 10}, "peak ready web"),
    ],
)
def test_each_violation_alone_is_enough(tmp_path: Path, overrides: dict[str, Any], broken: str) -> None:
    verdict = assess(RunReader(build_run(tmp_path, **overrides)))
    assert verdict.outcome is NOT_HELD
    assert outcomes(verdict)[broken] is NOT_HELD
    assert any(reason.lower().startswith(f"{broken} was not held") for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("overrides", "doubtful"),
    [
        ({"stride": 20}, {"availability", "latency reads p99", "latency orders p95"}),
        (
            {"generator_lag_s": 0.26},
            {"generator lag p99", "availability", "latency reads p99", "latency orders p95"},
        ),
        ({"notes": (ERROR,)}, {"availability", "latency reads p99", "latency orders p95", "queue age"}),
        ({"notes": (GAP,), "min_peak_ready_web": 10}, {"peak ready web"}),
        ({"metrics": False}, {"queue age"}),
        ({"cluster": False}, {"peak ready web"}),
    ],
)
def test_a_doubt_that_could_change_the_answer_makes_it_untellable(
    tmp_path: Path, overrides: dict[str, Any], doubtful: set[str]
) -> None:
    outcome, found = answers(tmp_path, **overrides)
    assert outcome is COULD_NOT_TELL
    assert {name for name, answer in found.items() if answer is COULD_NOT_TELL} == doubtful
    assert NOT_HELD not in found.values()


@pytest.mark.parametrize(
    "overrides",
    [
        {"notes": (GAP,)},
        {"notes": ((50.0, "warning", "slow", None),)},
        {"notes": ((-10.0, "error", "before", None),)},
        {"notes": ((WINDOW_S + 20, "error", "after", None),)},
        {"notes": ((WINDOW_S + 40, "error", "gap after", 20.0),)},
        {"notes": ((50.0, "error", "a short gap", 9.0),)},
        {"notes": ((50.0, "warning", "Prometheus: sees again", 20.0),), "min_peak_ready_web": 9},
        {"generator_lag_s": 0.2},
    ],
)
def test_a_doubt_that_could_not_change_it_does_not(tmp_path: Path, overrides: dict[str, Any]) -> None:
    assert answers(tmp_path, **overrides)[0] is HELD


@pytest.mark.parametrize("doubt", [{"notes": (ERROR,)}, {"notes": (GAP,)}, {"generator_lag_s": 0.5}])
def test_a_definite_violation_stands_beside_a_doubt(tmp_path: Path, doubt: dict[str, Any]) -> None:
    outcome, found = answers(tmp_path, failures=500, **doubt)
    assert outcome is NOT_HELD
    assert found["availability"] is NOT_HELD


def test_a_gap_in_samples_does_not_excuse_missing_pods(tmp_path: Path) -> None:
    notes = ((50.0, "warning", "pod metrics: sees again", 20.0),)
    assert answers(tmp_path, notes=notes, min_peak_ready_web=10)[0] is NOT_HELD


def test_latency_of_an_unsound_generator_is_no_violation(tmp_path: Path) -> None:
    outcome, found = answers(tmp_path, generator_lag_s=3.0)
    assert outcome is COULD_NOT_TELL
    assert found["latency orders p95"] is COULD_NOT_TELL


def test_without_a_load_window_nobody_can_tell(tmp_path: Path) -> None:
    verdict = assess(RunReader(build_run(tmp_path, load_window=False, failures=500)))
    assert verdict.outcome is COULD_NOT_TELL
    assert "load window" in verdict.reasons[0]


def test_a_torn_record_is_doubted(tmp_path: Path) -> None:
    folder = build_run(tmp_path)
    (folder / "requests" / ".x-000000.parquet.tmp").touch()
    verdict = assess(RunReader(folder))
    assert outcomes(verdict)["availability"] is COULD_NOT_TELL
    assert any("never finished" in reason for reason in verdict.reasons)


def test_a_torn_cluster_record_is_doubted_only_when_pods_are_missing(tmp_path: Path) -> None:
    for peak, expected in ((9, HELD), (10, COULD_NOT_TELL)):
        folder = build_run(tmp_path / str(peak), min_peak_ready_web=peak)
        path = folder / "cluster.jsonl"
        path.write_bytes(path.read_bytes()[:-5])
        assert assess(RunReader(folder)).outcome is expected


def test_a_recorder_that_stopped_before_the_load_did_may_have_missed_the_peak(tmp_path: Path) -> None:
    folder = build_run(tmp_path, metrics=False, min_peak_ready_web=3, slo=slo(queue_age_max_s=None))
    path = folder / "cluster.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    early = [line for line in lines if float(line.split(":", 2)[1].split(",")[0]) < T0 + 30]
    path.write_text("".join(early))
    verdict = assess(RunReader(folder))
    assert outcomes(verdict)["peak ready web"] is COULD_NOT_TELL
    assert any("record ends" in reason for reason in verdict.reasons)


def test_a_group_without_requests_or_with_too_few_cannot_be_told(tmp_path: Path) -> None:
    latency = [
        {"route_group": "reads", "routes": ("GET /none",), "percentile": 99, "threshold_ms": 1000},
        {"route_group": "orders", "routes": ("POST /api/v1/orders",), "percentile": 99.99, "threshold_ms": 1},
    ]
    outcome, found = answers(tmp_path, slo=slo(latency=latency))
    assert outcome is COULD_NOT_TELL
    assert found["latency reads p99"] is COULD_NOT_TELL
    assert found["latency orders p99.99"] is COULD_NOT_TELL


def test_queue_age_unknown_for_long_cannot_be_told(tmp_path: Path) -> None:
    folder = build_run(tmp_path, scenario="long")
    run = RunReader(folder)
    (folder / "plan.json").write_text(run.plan.with_load_window(T0, T0 + 365).model_dump_json())
    verdict = assess(RunReader(folder))
    assert outcomes(verdict)["queue age"] is COULD_NOT_TELL


def test_availability_is_compared_exactly(tmp_path: Path) -> None:
    # 3800 requests; 99.95 % of them is 3798.1, so one failure is allowed and two are not.
    for failures, expected in ((1, HELD), (2, NOT_HELD)):
        overrides: dict[str, Any] = {
            "stride": 2,
            "slo": slo(availability_percent=99.95),
            "failures": failures,
        }
        assert answers(tmp_path / str(failures), **overrides)[1]["availability"] is expected
    # 99.9 % of 1000 in floating point is above 999.
    exact = slo(availability_percent=99.9, min_requests=1)
    folder = build_run(tmp_path, slo=exact, failures=0)
    plan = RunReader(folder).plan.with_load_window(T0, T0 + 20)
    (folder / "plan.json").write_text(plan.model_dump_json())
    assert outcomes(assess(RunReader(folder)))["availability"] is HELD


def test_exit_codes() -> None:
    assert [exit_code(outcome) for outcome in (HELD, NOT_HELD, COULD_NOT_TELL)] == [0, 1, 2]


ORDER = {HELD: 0, NOT_HELD: 1}
COMMON: Any = {
    "deadline": None,
    "max_examples": 20,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
}


@settings(**COMMON)
@given(failures=st.lists(st.integers(0, 40), min_size=2, max_size=2).map(sorted))
def test_more_failures_never_turn_into_held(
    tmp_path_factory: pytest.TempPathFactory, failures: list[int]
) -> None:
    few, many = (
        assess(RunReader(build_run(tmp_path_factory.mktemp("few"), failures=number))).outcome
        for number in failures
    )
    assert ORDER[few] <= ORDER[many]


@settings(**COMMON)
@given(
    factors=st.lists(st.floats(0.1, 20), min_size=2, max_size=2).map(sorted),
    thresholds=st.lists(st.floats(1, 5000), min_size=2, max_size=2).map(sorted),
)
def test_slower_answers_or_stricter_thresholds_never_turn_into_held(
    tmp_path_factory: pytest.TempPathFactory, factors: list[float], thresholds: list[float]
) -> None:
    def outcome(factor: float, threshold: float) -> Outcome:
        objective = {
            "route_group": "orders",
            "routes": ("POST /api/v1/orders",),
            "percentile": 95,
            "threshold_ms": threshold,
        }
        changed = slo(latency=[objective])
        folder = build_run(tmp_path_factory.mktemp("run"), latency_factor=factor, slo=changed, cluster=False,
                           metrics=False, min_peak_ready_web=None)  # fmt: skip
        verdict = assess(RunReader(folder))
        return outcomes(verdict)["latency orders p95"]

    fast, slow = factors
    strict, lax = thresholds
    assert ORDER[outcome(fast, lax)] <= ORDER[outcome(slow, lax)]
    assert ORDER[outcome(fast, lax)] <= ORDER[outcome(fast, strict)]


@settings(**COMMON)
@given(
    failures=st.sampled_from([0, 4, 8, 200]),
    factor=st.sampled_from([1.0, 1.4]),
    notes=st.lists(st.sampled_from([ERROR, GAP]), max_size=2),
    lag=st.sampled_from([0.0, 0.3]),
    peak=st.sampled_from([9, 10]),
)
def test_a_doubt_only_ever_takes_certainty_away(
    tmp_path_factory: pytest.TempPathFactory,
    failures: int,
    factor: float,
    notes: list[Any],
    lag: float,
    peak: int,
) -> None:
    def judged(**overrides: Any) -> dict[str, Outcome]:
        folder = build_run(
            tmp_path_factory.mktemp("run"),
            failures=failures,
            latency_factor=factor,
            min_peak_ready_web=peak,
            **overrides,
        )
        return outcomes(assess(RunReader(folder)))

    sure, doubtful = judged(), judged(notes=tuple(notes), generator_lag_s=lag)
    for name, answer in doubtful.items():
        assert answer in (sure[name], COULD_NOT_TELL)
