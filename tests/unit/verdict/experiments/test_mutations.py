"""The verdict on set-ups that are broken on purpose: each is found, and for the right reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.chaos_run import Failing, build

from tidegate.models.trial import Finding, Trial
from tidegate.run import RunReader
from tidegate.verdict.experiments import experiments

NOT_HELD, INCONCLUSIVE, HELD = Finding.NOT_HELD, Finding.INCONCLUSIVE, Finding.HELD


def judged(folder: Path, **shape: Any) -> Trial:
    (trial,) = experiments(RunReader(build(folder, **shape)))
    return trial


@pytest.mark.parametrize("turn", range(10))
def test_the_sound_set_up_holds_ten_times_of_ten(tmp_path: Path, turn: int) -> None:
    # Each time with other answers' lengths and another pod killed, none of which may change the finding.
    trial = judged(tmp_path, slow=((-60.0, 120.0, 3.0 * turn),), hit=(("web-a", "web-b", "web-c")[turn % 3],))
    assert (trial.finding, trial.recovery_s) == (HELD, 0.0), trial.reasons
    assert [proof.finding for proof in trial.proofs] == [HELD] * 3


STRESS = {
    "experiment": "cpu-stress",
    "hit": ("web-a", "web-b", "web-c"),
    "lifted_s": 90.0,
    "probes": (("probe_others_cpu_s", "", 0.0, 0.0),),
}

BROKEN: list[tuple[str, dict[str, Any], Finding, str]] = [
    (
        "no preStop",
        {"served_until_s": 3.0, "failing": (Failing(0, 3, "web-a", status=502),)},
        NOT_HELD,
        "sent to pods that were being deleted",
    ),
    ("readiness lying", {"failing": (Failing(0, 60, "web-b"),)}, NOT_HELD, "its readiness lies"),
    (
        "one replica",
        {"pods": ("web-a",), "failing": (Failing(0, 5),)},
        NOT_HELD,
        "1 web pods were Ready before the fault",
    ),
    (
        "fault that never landed",
        {"lands": False},
        INCONCLUSIVE,
        "No chosen pod was seen to be deleted and replaced",
    ),
    ("generator saturated", {"generator_lag_s": 0.6}, INCONCLUSIVE, "load generator itself was"),
    ("retries hiding errors", {"server_errors_share": 0.08}, NOT_HELD, "retries hid the rest"),
    ("generator's clock behind", {"request_clock_s": -9.0}, INCONCLUSIVE, "answered before it had started"),
    ("generator's clock ahead", {"request_clock_s": 20.0}, INCONCLUSIVE, "answered after it was gone"),
    ("observer's clock ahead", {"observer_clock_s": 30.0}, INCONCLUSIVE, "no object was received sooner"),
    ("observer's clock behind", {"observer_clock_s": -30.0}, INCONCLUSIVE, "was received before it was"),
    ("requests of the future", {"newest_request_s": 6.0}, INCONCLUSIVE, "at which it was read"),
    ("requests of the past", {"newest_request_s": -30.0}, INCONCLUSIVE, "newest request was 30 s old"),
    ("lost pods in the watch", {"unwatched": ("web-x",)}, INCONCLUSIVE, "the watch never saw: web-x"),
    (
        "PDB blocking",
        {"events": ((2.0, "Cannot evict pod as it would violate the pod's disruption budget."),)},
        NOT_HELD,
        "An eviction was refused",
    ),
    (
        "no PodDisruptionBudget at drain",
        {"also_lost": (("web-b", 0.2), ("web-c", 0.3)), "failing": (Failing(0, 5),)},
        NOT_HELD,
        "more were lost than the fault took",
    ),
]


@pytest.mark.parametrize(("name", "shape", "finding", "reason"), BROKEN, ids=[each[0] for each in BROKEN])
def test_a_broken_set_up_is_found_for_the_right_reason(
    tmp_path: Path, name: str, shape: dict[str, Any], finding: Finding, reason: str
) -> None:
    trial = judged(tmp_path, **shape)
    assert trial.finding is finding, (name, trial.reasons)
    assert any(reason in said for said in trial.reasons), (name, trial.reasons)


DRAIN: dict[str, Any] = {
    "experiment": "node-drain",
    "hit": ("web-a", "web-b"),
    "lifted_s": 60.0,
    "cordoned": True,
    "evicted": (("web-a", 1.0), ("web-b", 12.0)),
    "told": {"node": "worker", "budgets": ["tidegate-web"], "refusals": 2, "refused": "Cannot evict pod."},
}

DRAINED_BADLY: list[tuple[str, dict[str, Any], str]] = [
    ("no preStop", {"lives_on_s": 1.0}, "web-a had ended 1 s after it was told to go, and so 1 more"),
    (
        "no PodDisruptionBudget at drain",
        {"evicted": (("web-a", 1.0), ("web-b", 1.2)), "told": {"budgets": []}},
        "at most 1 may be missing at once. No PodDisruptionBudget covered them.",
    ),
    (
        "PDB blocking",
        {"evicted": ()},
        "An eviction was refused to the end: Cannot evict pod. 2 of 2 chosen pods were never told to go",
    ),
]


def test_a_node_that_is_drained_well_holds(tmp_path: Path) -> None:
    trial = judged(tmp_path, **DRAIN)
    assert trial.finding is HELD, trial.reasons
    assert trial.signs[0].detail == "Node worker took no new pods from then on."


@pytest.mark.parametrize(("name", "shape", "reason"), DRAINED_BADLY, ids=[each[0] for each in DRAINED_BADLY])
def test_a_node_that_is_drained_badly_does_not_hold(
    tmp_path: Path, name: str, shape: dict[str, Any], reason: str
) -> None:
    trial = judged(tmp_path, **{**DRAIN, **shape})
    assert trial.finding is NOT_HELD, (name, trial.reasons)
    assert any(reason in said for said in trial.reasons), (name, trial.reasons)


def test_pods_that_the_autoscaler_takes_away_later_excuse_no_loss(tmp_path: Path) -> None:
    shape: dict[str, Any] = {"evicted": (("web-a", 1.0), ("web-b", 1.2)), "lifted_s": 90.0}
    cpu = ((-60.0, 40), (40.0, 10))
    trial = judged(tmp_path, **{**DRAIN, **shape, "desired": ((-60.0, 3), (45.0, 2)), "cpu": cpu})
    assert any("may be missing at once" in said for said in trial.reasons), trial.reasons
    earlier = judged(tmp_path / "b", **{**DRAIN, **shape, "desired": ((-60.0, 3), (0.0, 2)), "cpu": cpu})
    assert not any("may be missing at once" in said for said in earlier.reasons), earlier.reasons


def test_a_pod_killed_without_grace_was_promised_no_time_to_leave(tmp_path: Path) -> None:
    trial = judged(tmp_path, **{**DRAIN, "grace_s": 0, "lives_on_s": 0.5})
    assert trial.finding is HELD, trial.reasons


def test_a_drain_that_finds_no_pod_proves_nothing(tmp_path: Path) -> None:
    trial = judged(tmp_path, **{**DRAIN, "hit": (), "pods": ("web-a", "web-b", "web-c"), "evicted": ()})
    assert trial.finding is NOT_HELD  # the pods that could be chosen stayed
    nobody = judged(tmp_path / "none", **{**DRAIN, "hit": (), "eligible": (), "evicted": ()})
    assert nobody.finding is INCONCLUSIVE
    assert any("nothing was asked of the service" in said for said in nobody.reasons)


def test_a_node_that_was_cordoned_before_is_no_sign(tmp_path: Path) -> None:
    trial = judged(tmp_path, **{**DRAIN, "cordoned": False})
    assert trial.finding is INCONCLUSIVE
    assert trial.reasons[0] == "No node was seen to be cordoned."


def test_failures_that_no_pod_answered_while_one_left_are_told_as_such(tmp_path: Path) -> None:
    failing = (Failing(1.0, 2.0, "nobody"),)
    trial = judged(tmp_path, **{**DRAIN, "unwatched": ("nobody",), "failing": failing, "anonymous": True})
    assert trial.finding is NOT_HELD
    assert "while pods were being deleted and the traffic had not left them" in trial.reasons[0]
    assert "GET /api/v1/products)" in trial.reasons[0]


def test_a_doubt_that_two_proofs_share_is_said_once(tmp_path: Path) -> None:
    trial = judged(tmp_path, observer_clock_s=30.0)
    assert [proof.finding for proof in trial.proofs] == [HELD, INCONCLUSIVE, INCONCLUSIVE]
    assert sum("clocks are at least" in said for said in trial.reasons) == 1


def test_a_hole_in_the_record_is_told_where_nothing_could_be_proven(tmp_path: Path) -> None:
    trial = judged(tmp_path, lands=False, unwatched=("web-x",))
    assert trial.finding is INCONCLUSIVE
    assert [said.partition(" ")[0] for said in trial.reasons] == ["Pods", "No"]


def test_redis_required_on_the_read_path(tmp_path: Path) -> None:
    cut = (("probe_connect_ok", "redis", 1.0, 0.0),)
    trial = judged(
        tmp_path, experiment="redis-away", lifted_s=60.0, probes=cut, failing=(Failing(0, 60, every=3),)
    )
    assert trial.finding is NOT_HELD
    assert "were claimed" in trial.reasons[0]


def test_redis_away_where_it_can_be_lived_without(tmp_path: Path) -> None:
    cut = (("probe_connect_ok", "redis", 1.0, 0.0),)
    trial = judged(tmp_path, experiment="redis-away", lifted_s=60.0, probes=cut)
    assert trial.finding is HELD, trial.reasons
    assert "could not connect to redis" in trial.signs[0].detail


@pytest.fixture
def throttled(tmp_path: Path) -> Any:
    """A CPU stress that lands: half a core for others from the fault on, by a cumulative counter."""

    def made(**shape: Any) -> Trial:
        from support.chaos_run import T0

        from tidegate.run import MetricRow, labels_text, metric_writer

        pods = ("web-a", "web-b", "web-c")
        run = build(tmp_path, experiment="cpu-stress", hit=pods, lifted_s=90.0, **shape)
        with metric_writer(run, "probe") as samples:
            for at in range(-60, 120, 3):
                for pod in pods:
                    value = max(0.0, min(at, 90.0)) / 2
                    samples.append(
                        MetricRow(
                            T0 + at, T0 + at, "probe_others_cpu_s", labels_text({"pod": pod}), value, None
                        )
                    )
        (trial,) = experiments(RunReader(run))
        return trial

    return made


def test_an_autoscaler_at_its_maximum_cannot_answer(throttled: Any) -> None:
    trial = throttled(cpu=((-60.0, 40), (15.0, 150)), desired=((-60.0, 8),))
    assert trial.finding is NOT_HELD
    assert any("at its maximum of 8" in said for said in trial.reasons)


def test_an_autoscaler_that_answers_holds(throttled: Any) -> None:
    trial = throttled(cpu=((-60.0, 40), (15.0, 150), (45.0, 55)), desired=((-60.0, 3), (30.0, 7)))
    assert trial.proofs[2].finding is HELD, trial.proofs[2].reasons
    assert trial.finding is HELD, trial.reasons


def test_at_its_maximum_but_never_asked_leaves_the_autoscaler_open(throttled: Any) -> None:
    trial = throttled(cpu=((-60.0, 40),), desired=((-60.0, 8),))
    assert trial.finding is INCONCLUSIVE
    assert any("nothing was asked of it" in said for said in trial.reasons)


def test_silence_above_target_is_no_answer(throttled: Any) -> None:
    trial = throttled(cpu=((-60.0, 40), (0.0, 150)))
    assert trial.finding is NOT_HELD
    assert any("stayed at 3 replicas" in said for said in trial.reasons)


def test_a_load_that_asks_nothing_leaves_the_autoscaler_open(throttled: Any) -> None:
    trial = throttled(cpu=((-60.0, 40),))
    assert trial.finding is INCONCLUSIVE
    assert any("nothing was asked of it" in said for said in trial.reasons)
