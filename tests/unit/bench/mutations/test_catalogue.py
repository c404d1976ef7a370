"""Each mutation's expected reason is what the verdict says of such a Run, and not of the sound one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.chaos_run import T0, Failing, build

from bench.mutations.catalogue import (
    HELD,
    INCONCLUSIVE,
    MUTATIONS,
    NOT_HELD,
    SOUND_EXPERIMENTS,
    Mutation,
    named,
    sound,
)
from bench.mutations.flaws import NOBODY, aimed_at_nobody
from tidegate.chaos.catalogue import load_experiments
from tidegate.errors import TidegateError
from tidegate.models.trial import Trial
from tidegate.run import MetricRow, RunReader, labels_text, metric_writer
from tidegate.verdict.experiments import experiments

PODS = ("web-a", "web-b", "web-c")
CUT = (("probe_connect_ok", "redis", 1.0, 0.0),)
REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."
SOUND: dict[str, dict[str, Any]] = {
    "pod-kill": {},
    "node-drain": {
        "hit": ("web-a", "web-b"),
        "lifted_s": 60.0,
        "cordoned": True,
        "evicted": (("web-a", 1.0), ("web-b", 12.0)),
        "told": {"budgets": ["tidegate-web"], "refused": REFUSED},
    },
    "partition-redis": {"lifted_s": 45.0, "probes": CUT},
    "redis-away": {"hit": PODS, "lifted_s": 60.0, "probes": CUT},
    "cpu-stress": {
        "hit": PODS,
        "lifted_s": 90.0,
        "cpu": ((-60.0, 40), (15.0, 150), (45.0, 55)),
        "desired": ((-60.0, 3), (30.0, 7)),
    },
}
BROKEN: dict[str, dict[str, Any]] = {
    "no-pre-stop": {"lives_on_s": 1.0},
    "readiness-lying": {"failing": (Failing(4, 44, "web-d", status=500),)},
    "one-replica": {"pods": ("web-a",), "failing": (Failing(0, 5),)},
    "autoscaler-at-maximum": {"cpu": ((-60.0, 40), (15.0, 150)), "max_replicas": 3, "bounds": (3, 3)},
    "fault-never-landed": {"lands": False},
    "generator-saturated": {"generator_lag_s": 0.6},
    "retries-hiding-errors": {"server_errors_share": 0.1},
    "clock-skew": {"observer_clock_s": 30.0},
    "pods-lost-in-watch": {"unwatched": ("web-x",), "lands": False},
    "redis-required": {"failing": (Failing(0, 60, every=3),)},
    "budget-blocking": {"evicted": ()},
    "no-budget-at-drain": {"evicted": (("web-a", 1.0), ("web-b", 1.2)), "told": {"budgets": []}},
}


def judged(folder: Path, experiment: str, shape: dict[str, Any]) -> Trial:
    bounds = shape.pop("bounds", None)
    if bounds:
        shape["desired"] = ((-60.0, bounds[1]),)
        shape["policy_bounds"] = bounds
    run = build(folder, experiment=experiment, **shape)
    if experiment == "cpu-stress":
        with metric_writer(run, "probe") as samples:
            for at in range(-60, 120, 3):
                for pod in PODS:
                    value, labels = max(0.0, min(at, 90.0)) / 2, labels_text({"pod": pod})
                    samples.append(MetricRow(T0 + at, T0 + at, "probe_others_cpu_s", labels, value, None))
    (trial,) = experiments(RunReader(run))
    return trial


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[each.name for each in MUTATIONS])
def test_the_verdict_on_such_a_run_is_the_expected_one(tmp_path: Path, mutation: Mutation) -> None:
    trial = judged(tmp_path, mutation.experiment, SOUND[mutation.experiment] | BROKEN[mutation.name])
    assert mutation.fits(trial.finding, trial.reasons), (trial.finding, trial.reasons)


@pytest.mark.parametrize("experiment", SOUND_EXPERIMENTS)
def test_the_sound_set_up_is_held_and_is_taken_for_no_broken_one(tmp_path: Path, experiment: str) -> None:
    trial = judged(tmp_path, experiment, dict(SOUND[experiment]))
    assert trial.finding is HELD, trial.reasons
    assert sound(1).fits(trial.finding, trial.reasons)
    assert not any(each.fits(trial.finding, trial.reasons) for each in MUTATIONS)


def test_no_mutation_is_taken_for_another_that_is_shown_by_the_same_experiment(tmp_path: Path) -> None:
    for mutation in MUTATIONS:
        shape = SOUND[mutation.experiment] | BROKEN[mutation.name]
        trial = judged(tmp_path / mutation.name, mutation.experiment, shape)
        others = [each for each in MUTATIONS if each.experiment == mutation.experiment and each != mutation]
        assert not [each.name for each in others if each.fits(trial.finding, trial.reasons)], mutation.name


def test_there_are_the_twelve_and_none_of_them_is_ever_to_hold() -> None:
    assert len({each.name for each in MUTATIONS}) == len(MUTATIONS) == 12
    assert {each.expected for each in MUTATIONS} == {NOT_HELD, INCONCLUSIVE}
    assert {each.experiment for each in MUTATIONS} == set(SOUND_EXPERIMENTS)


def test_the_sound_stack_meets_every_experiment_in_turn() -> None:
    assert [sound(number).experiment for number in range(1, 11)] == [*SOUND_EXPERIMENTS] * 2


def test_a_partition_aimed_at_nobody_is_the_same_but_for_its_target() -> None:
    (experiment,) = load_experiments(["partition-redis"])
    aimed = aimed_at_nobody(experiment)
    assert aimed.manifest["spec"]["externalTargets"] == [NOBODY]
    restored = {**aimed.manifest["spec"], "externalTargets": experiment.manifest["spec"]["externalTargets"]}
    assert restored == experiment.manifest["spec"]
    assert load_experiments(["partition-redis"])[0].manifest == experiment.manifest


def test_a_name_that_there_is_not_is_answered_with_the_nearest() -> None:
    with pytest.raises(TidegateError, match="one-replica"):
        named(["one-replicas"])
    assert [each.name for each in named(["clock-skew", "sound"])] == ["clock-skew"]
