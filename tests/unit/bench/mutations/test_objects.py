"""What is changed on a live stack is put back: also by a later start, and never over somebody else's work."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from support.object_store import Object, ObjectStore

from bench.mutations.objects import MANAGER, Change, Changes, edited, left, made, removed
from tidegate.errors import TidegateError

BUDGETS = "/apis/policy/v1/namespaces/tidegate/poddisruptionbudgets"
BUDGET, WEB = f"{BUDGETS}/tidegate-web", "/apis/apps/v1/namespaces/tidegate/deployments/tidegate-web"
PROGRAM = "/api/v1/namespaces/tidegate/configmaps/broken"


@pytest.fixture
def store() -> ObjectStore:
    labels = {"app.kubernetes.io/component": "web"}
    budget = {"kind": "PodDisruptionBudget", "metadata": {"labels": labels}, "spec": {"maxUnavailable": 1}}
    web = {
        "kind": "Deployment",
        "metadata": {"labels": labels},
        "spec": {"replicas": 3, "template": {"a": 1}},
    }
    return ObjectStore({BUDGET: budget, WEB: web})


@pytest.fixture
def changes(store: ObjectStore, tmp_path: Path) -> Changes:
    return Changes(store.cluster(), tmp_path / "state" / "journal.json")


def content(store: ObjectStore) -> dict[str, Any]:
    """What all objects say, and whose their fields are."""
    return {
        path: ({k: v for k, v in each.items() if k != "metadata"}, each["metadata"]["labels"])
        for path, each in store.objects.items()
    }


def no_leeway(budget: Object) -> None:
    budget["spec"]["maxUnavailable"] = 0


def other_template(web: Object) -> None:
    web["spec"]["template"]["a"] = 2


ALL: tuple[Change, ...] = (
    edited(WEB, other_template),
    made(PROGRAM, {"kind": "ConfigMap", "metadata": {"name": "broken", "labels": {}}, "data": {"a": "b"}}),
    removed(BUDGET),
)


def test_all_is_as_it_was_and_belongs_to_whom_it_did(
    store: ObjectStore, changes: Changes, tmp_path: Path
) -> None:
    before = copy.deepcopy(content(store))
    for change in ALL:
        changes.make(change)
    assert set(store.objects) == {WEB, PROGRAM}
    assert store.objects[WEB]["spec"]["template"] == {"a": 2}
    assert changes.put_back() == [BUDGET, PROGRAM, WEB]
    assert content(store) == before
    managers = {
        each["manager"] for found in store.objects.values() for each in found["metadata"]["managedFields"]
    }
    assert MANAGER not in managers
    assert left(tmp_path / "state" / "journal.json") == []
    assert changes.put_back() == []


def test_a_later_start_puts_back_what_a_killed_one_left(store: ObjectStore, tmp_path: Path) -> None:
    before, journal = copy.deepcopy(content(store)), tmp_path / "journal.json"
    killed = Changes(store.cluster(), journal)
    for change in ALL:
        killed.make(change)
    assert [path for path, _ in left(journal)] == [WEB, PROGRAM, BUDGET]
    Changes(store.cluster(), journal).put_back()
    assert content(store) == before


def test_what_was_there_is_on_disk_before_anything_is_changed(store: ObjectStore, tmp_path: Path) -> None:
    store.refused = {"PUT"}
    with pytest.raises(TidegateError, match="forbidden"):
        Changes(store.cluster(), tmp_path / "journal.json").make(edited(BUDGET, no_leeway))
    ((path, before),) = left(tmp_path / "journal.json")
    assert path == BUDGET
    assert before is not None
    assert before["spec"] == {"maxUnavailable": 1}


def test_replicas_are_the_autoscalers_and_stay_what_they_became(store: ObjectStore, changes: Changes) -> None:
    changes.make(edited(WEB, other_template))
    scaled = copy.deepcopy(store.objects[WEB])
    scaled["spec"]["replicas"] = 7
    store.put(WEB, scaled, "kube-controller-manager")
    changes.put_back()
    assert store.objects[WEB]["spec"] == {"replicas": 7, "template": {"a": 1}}


def test_two_changes_of_one_object_are_both_put_back(store: ObjectStore, changes: Changes) -> None:
    def more(web: Object) -> None:
        web["spec"]["paused"] = True

    changes.make(edited(WEB, other_template))
    changes.make(edited(WEB, more))
    changes.put_back()
    assert store.objects[WEB]["spec"] == {"replicas": 3, "template": {"a": 1}}


def test_an_object_that_was_made_anew_since_is_left_alone(store: ObjectStore, changes: Changes) -> None:
    changes.make(edited(BUDGET, no_leeway))
    del store.objects[BUDGET]
    store.put(
        BUDGET, {"kind": "PodDisruptionBudget", "metadata": {"labels": {}}, "spec": {"maxUnavailable": 2}}
    )
    changes.put_back()
    assert store.objects[BUDGET]["spec"] == {"maxUnavailable": 2}


def test_a_write_of_somebody_else_in_between_is_met_by_trying_again(
    store: ObjectStore, changes: Changes, tmp_path: Path
) -> None:
    store.conflicts = 2
    changes.make(edited(BUDGET, no_leeway))
    assert len(left(tmp_path / "state" / "journal.json")) == 1
    store.conflicts = 2
    changes.put_back()
    assert store.objects[BUDGET]["spec"] == {"maxUnavailable": 1}


def test_what_cannot_be_put_back_stays_in_the_journal(
    store: ObjectStore, changes: Changes, tmp_path: Path
) -> None:
    changes.make(removed(BUDGET))
    store.refused = {"POST"}
    with pytest.raises(TidegateError, match="forbidden"):
        changes.put_back()
    assert [path for path, _ in left(tmp_path / "state" / "journal.json")] == [BUDGET]


@pytest.mark.parametrize(
    "change", [edited("/api/v1/namespaces/x", no_leeway), removed("/api/v1/namespaces/x")]
)
def test_what_is_not_there_is_refused_before_anything_is_noted(
    changes: Changes, tmp_path: Path, change: Change
) -> None:
    with pytest.raises(TidegateError, match="the stack has no such object"):
        changes.make(change)
    assert left(tmp_path / "state" / "journal.json") == []


def test_a_damaged_journal_is_told_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "journal.json").write_text('[{"path": 1}]')
    with pytest.raises(TidegateError, match="cannot be read") as caught:
        left(tmp_path / "journal.json")
    assert "pulumi up --refresh" in caught.value.cure
