"""A set-up is in effect before it is tried, and gone whatever ends the trial."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from support.object_store import ObjectStore

from bench.mutations import trying as under_test
from bench.mutations.catalogue import MUTATIONS, Mutation, sound
from bench.mutations.effect import AUTOSCALER, BUDGET
from bench.mutations.objects import Changes
from bench.mutations.trying import put_back, require_stack, set_up, try_out, with_bounds
from tidegate.chaos.conduct import Trying
from tidegate.errors import TidegateError
from tidegate.models.stack import StackConfig, load_stack
from tidegate.models.trial import Finding
from tidegate.prepare import Site

ROOT = Path(__file__).resolve().parents[4]


def by_name(name: str) -> Mutation:
    return next(each for each in MUTATIONS if each.name == name)


def chaos_stack() -> StackConfig:
    return load_stack(ROOT / "Pulumi.chaos.yaml")


def site(config: StackConfig) -> Site:
    return Site("chaos", ROOT, config, cast("Any", None), {})


@pytest.fixture
def store() -> ObjectStore:
    return ObjectStore(
        {
            BUDGET: {
                "kind": "PodDisruptionBudget",
                "metadata": {"labels": {}},
                "spec": {"maxUnavailable": 1},
            },
            AUTOSCALER: {
                "kind": "HorizontalPodAutoscaler",
                "metadata": {"labels": {}},
                "spec": {"minReplicas": 3, "maxReplicas": 12},
            },
        }
    )


@pytest.fixture
def changes(store: ObjectStore, tmp_path: Path) -> Changes:
    return Changes(store.cluster(), tmp_path / "journal.json")


@pytest.mark.parametrize("ended_by", [KeyboardInterrupt, SystemExit, TidegateError("no rest")])
def test_whatever_ends_the_trial_the_stack_is_as_before(
    store: ObjectStore, changes: Changes, ended_by: Any
) -> None:
    told: list[str] = []

    def settle() -> None:
        told.append("settled with a budget" if BUDGET in store.objects else "settled without")

    def broken_off() -> None:
        with set_up(changes, by_name("no-budget-at-drain"), settle, told.append):
            assert BUDGET not in store.objects
            raise ended_by

    with pytest.raises((KeyboardInterrupt, SystemExit, TidegateError)) as caught:
        broken_off()
    assert caught.type is (ended_by if isinstance(ended_by, type) else type(ended_by))
    assert told == [
        "no-budget-at-drain: changing tidegate-web",
        "settled without",
        "put back tidegate-web",
        "settled with a budget",
    ]


def test_a_set_up_that_never_settles_is_not_tried_and_is_put_back(
    store: ObjectStore, changes: Changes
) -> None:
    def never() -> None:
        if BUDGET not in store.objects:
            raise TidegateError("waited for the stack to settle")

    with (
        pytest.raises(TidegateError, match="to settle"),
        set_up(changes, by_name("no-budget-at-drain"), never, lambda _: None),
    ):
        pytest.fail("it was tried")
    assert BUDGET in store.objects


def test_the_sound_set_up_touches_nothing(store: ObjectStore, changes: Changes) -> None:
    def settle() -> None:
        pytest.fail("there is nothing to wait for")

    with set_up(changes, sound(1), settle, lambda _: None):
        pass
    assert store.calls == []


def test_putting_back_nothing_waits_for_nothing(changes: Changes) -> None:
    assert put_back(changes, lambda: pytest.fail("nothing was changed"), lambda _: None) == []


def test_the_policy_of_the_run_says_what_the_cluster_has() -> None:
    hpa = with_bounds(site(chaos_stack()), (1, 1)).config.policy.web.hpa
    assert (hpa.min_replicas, hpa.max_replicas) == (1, 1)
    assert hpa.cpu_target_percent == chaos_stack().policy.web.hpa.cpu_target_percent
    assert with_bounds(site(chaos_stack()), None) == site(chaos_stack())


def test_the_chaos_stack_can_be_used() -> None:
    require_stack(chaos_stack())


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("faults", "chaos_mesh"), False, "no Chaos Mesh"),
        (("policy", "web", "hpa", "metric"), "rps", "do not scale on CPU"),
        (("policy", "web", "hpa", "min_replicas"), 2, "floor is below 3"),
        (("policy", "web", "drain", "pre_stop_s"), 2, "pre_stop_s is below 3"),
        (("policy", "web", "nginx", "enabled"), True, "NGINX"),
        (("cluster", "workers"), 1, "fewer than two workers"),
    ],
)
def test_a_stack_on_which_a_mutation_means_nothing_is_refused(
    path: tuple[str, ...], value: Any, said: str
) -> None:
    config = chaos_stack().model_dump(mode="json")
    part = config
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    with pytest.raises(TidegateError, match=said):
        require_stack(StackConfig.model_validate(config))


def test_the_trial_is_that_of_tidegate_chaos_on_the_broken_stack(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def conduct(trying: Trying, experiment: Any) -> tuple[Path, Any]:
        seen.update(
            bounds=(
                store.objects[AUTOSCALER]["spec"]["minReplicas"],
                trying.site.config.policy.web.hpa.min_replicas,
            ),
            experiment=experiment.name,
            observer=trying.observer,
        )
        reasons = ("99 % of 900 requests", "1 web pods were Ready before the fault; the claim is about 3.")
        return tmp_path / "run", SimpleNamespace(finding=Finding.NOT_HELD, reasons=reasons)

    def settled(*_: Any) -> None: ...

    def journal(_: Any) -> Path:
        return tmp_path / "journal.json"

    monkeypatch.setattr(under_test, "conduct", conduct)
    monkeypatch.setattr(under_test, "wait_until_settled", settled)
    monkeypatch.setattr(under_test, "journal", journal)
    place = cast("Any", SimpleNamespace(open=store.cluster))
    given = Trying(site(chaos_stack()), place, "http://127.0.0.1:1", tmp_path, 12, cast("Any", None))
    mutation = by_name("one-replica")
    result = try_out(given, mutation, 1, lambda _: None)
    assert seen == {"bounds": (1, 1), "experiment": "pod-kill", "observer": mutation.observer}
    assert result.as_expected
    assert (result.run, result.users) == (str(tmp_path / "run"), 12)
    assert store.objects[AUTOSCALER]["spec"] == {"minReplicas": 3, "maxReplicas": 12}
    wrong = replace(mutation, reason="another reason")
    assert not try_out(given, wrong, 2, lambda _: None).as_expected
