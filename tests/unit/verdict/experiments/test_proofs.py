"""What each proof rests on, one change at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.chaos_run import T0, Failing, build

from tidegate.models.trial import Finding, Trial
from tidegate.run import RunReader
from tidegate.verdict.experiments import experiments, landed_signs, overall


def judged(folder: Path, **shape: Any) -> Trial:
    (trial,) = experiments(RunReader(build(folder, **shape)))
    return trial


def test_the_injectors_own_error_says_why_nothing_landed(tmp_path: Path) -> None:
    trial = judged(tmp_path, lands=False, errors=("Specified qdisc kind is unknown",))
    assert trial.finding is Finding.INCONCLUSIVE
    assert trial.reasons[0] == "Cannot land here: Specified qdisc kind is unknown"


def test_the_injectors_word_alone_is_no_evidence(tmp_path: Path) -> None:
    trial = judged(tmp_path, lands=False)
    assert trial.injector == ("says it injected",)
    assert trial.proofs[0].finding is Finding.INCONCLUSIVE


def test_a_fault_that_was_never_lifted_is_not_proven(tmp_path: Path) -> None:
    trial = judged(tmp_path, lifted_s=None)
    assert "never recorded" in " ".join(trial.reasons)


@pytest.mark.parametrize(("to_s", "recovered"), [(3.0, 5.0), (28.0, 30.0), (42.0, 45.0)])
def test_recovery_is_counted_from_the_end_of_the_fault(tmp_path: Path, to_s: float, recovered: float) -> None:
    trial = judged(tmp_path, slow=((0.0, to_s, 500.0),))
    assert trial.recovery_s == recovered
    assert trial.finding is (Finding.HELD if recovered <= 30 else Finding.NOT_HELD), trial.reasons


def test_one_calm_bucket_between_two_bad_ones_is_no_recovery(tmp_path: Path) -> None:
    trial = judged(tmp_path, slow=((0.0, 5.0, 500.0), (10.0, 15.0, 500.0)))
    assert trial.recovery_s == 15.0


def test_it_counts_every_failed_request_of_the_span_and_no_other(tmp_path: Path) -> None:
    trial = judged(tmp_path, failing=(Failing(-30, -29, every=10), Failing(70, 71, every=10)))
    before, during, after = trial.spans
    assert (before.failed, during.failed, after.failed) == (2, 0, 2)
    assert (during.from_s, during.to_s) == (T0, T0 + 60)


def test_what_was_not_steady_before_proves_nothing(tmp_path: Path) -> None:
    trial = judged(tmp_path, failing=(Failing(-40, 0, every=4),))
    assert trial.finding is Finding.INCONCLUSIVE
    assert "not steady before" in " ".join(trial.reasons)


def test_orders_without_a_ledger_are_open_and_lost_ones_are_not_held(tmp_path: Path) -> None:
    cut = (("probe_connect_ok", "redis", 1.0, 0.0),)
    shape: dict[str, Any] = {"experiment": "redis-away", "lifted_s": 60.0, "probes": cut}
    assert judged(tmp_path / "a", **shape, orders=None).finding is Finding.INCONCLUSIVE
    lost = judged(tmp_path / "b", **shape, orders=(2.0, 1.0))
    assert lost.finding is Finding.NOT_HELD
    assert "2 acknowledged orders were lost, 1 done twice" in lost.reasons[0]


def test_pods_born_meanwhile_are_named(tmp_path: Path) -> None:
    assert judged(tmp_path).born == ("web-d",)


@pytest.mark.parametrize(
    ("experiment", "probe", "sign"),
    [
        ("network-delay", ("probe_connect_ms", "postgres", 1.0, 60.0), "ms more"),
        ("dns-error", ("probe_resolve_ok", "postgres", 1.0, 0.0), "could not resolve postgres"),
        ("clock-shift", ("probe_clock_s", "", 0.1, -59.8), "s off"),
        ("memory-stress", ("probe_memory_bytes", "", 1e8, 1.8e8), "MiB more"),
        ("io-delay", ("probe_write_ms", "", 1.0, 102.0), "ms more"),
        ("http-abort", ("probe_answered", "", 1.0, 0.2), "of all more"),
        ("partition-postgres", ("probe_connect_ok", "postgres", 1.0, 0.0), "could not connect to postgres"),
    ],
)
def test_a_sign_is_seen_where_it_is_and_not_where_it_is_not(
    tmp_path: Path, experiment: str, probe: tuple[str, str, float, float], sign: str
) -> None:
    there = build(tmp_path / "there", experiment=experiment, lifted_s=60.0, probes=(probe,))
    (seen,) = landed_signs(RunReader(there), experiment)
    assert sign in seen.detail
    assert seen.seen_s is not None
    assert T0 <= seen.seen_s <= T0 + 60
    away = build(tmp_path / "away", experiment=experiment, lifted_s=60.0, probes=(probe,), lands=False)
    (unseen,) = landed_signs(RunReader(away), experiment)
    assert unseen.seen_s is None


def test_one_finding_for_several() -> None:
    held, not_held, unknown = Finding.HELD, Finding.NOT_HELD, Finding.INCONCLUSIVE
    assert overall([held, held]) is held
    assert overall([held, unknown]) is unknown
    assert overall([unknown, not_held, held]) is not_held
    assert overall([]) is unknown
