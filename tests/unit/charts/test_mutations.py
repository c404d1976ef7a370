"""The mutations of the verdict's trial against the objects that the chart really makes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.object_store import PLURALS, ObjectStore, path_of

from bench.mutations.catalogue import MUTATIONS, Mutation
from bench.mutations.effect import AUTOSCALER, BUDGET, DEPLOYMENT, RETRIES
from bench.mutations.flaws import web_container
from bench.mutations.objects import Changes
from bench.mutations.trying import set_up
from infra.manifests import Manifest

Render = Callable[..., list[Manifest]]
CHANGED = [each for each in MUTATIONS if each.changes or each.bounds]


@pytest.fixture
def store(render: Render) -> ObjectStore:
    return ObjectStore({path_of(each): each for each in render() if each["kind"] in PLURALS})


def by_name(name: str) -> Mutation:
    return next(each for each in MUTATIONS if each.name == name)


def nothing(*_: Any) -> None: ...


def said(store: ObjectStore) -> dict[str, Any]:
    return {path: (each.get("spec"), each.get("data")) for path, each in store.objects.items()}


def while_set_up(store: ObjectStore, folder: Path, name: str) -> dict[str, Any]:
    """Return what the objects say while a mutation is in effect."""
    with set_up(Changes(store.cluster(), folder / "journal.json"), _quick(by_name(name)), nothing, nothing):
        return copy.deepcopy(said(store))


def _quick(mutation: Mutation) -> Mutation:
    from dataclasses import replace

    return replace(mutation, settle_s=0.0)


@pytest.mark.parametrize("name", [each.name for each in CHANGED])
def test_each_changes_the_stack_and_leaves_it_as_it_was(
    store: ObjectStore, tmp_path: Path, name: str
) -> None:
    before = copy.deepcopy(said(store))
    assert while_set_up(store, tmp_path, name) != before
    assert said(store) == before


def test_the_chart_makes_every_object_that_is_looked_at(store: ObjectStore) -> None:
    assert {DEPLOYMENT, AUTOSCALER, BUDGET, *RETRIES} <= set(store.objects)


def web(found: dict[str, Any]) -> Manifest:
    return {"spec": found[DEPLOYMENT][0]}


def test_without_pre_stop_nothing_else_differs(store: ObjectStore, tmp_path: Path) -> None:
    before, found = said(store), while_set_up(store, tmp_path, "no-pre-stop")
    had = web_container(web(before))
    assert had["lifecycle"]["preStop"] == {"sleep": {"seconds": 5}}
    assert web_container(web(found)) == {key: value for key, value in had.items() if key != "lifecycle"}


def test_a_flaw_is_mounted_where_it_is_started_from(store: ObjectStore, tmp_path: Path) -> None:
    found = while_set_up(store, tmp_path, "readiness-lying")
    container = web_container(web(found))
    program = container["command"][1]
    mounted = {each["mountPath"]: each["name"] for each in container["volumeMounts"]}
    volume = mounted[str(Path(program).parent)]
    volumes = {each["name"]: each for each in found[DEPLOYMENT][0]["template"]["spec"]["volumes"]}
    config_map = f"/{PLURALS['ConfigMap']}/{volumes[volume]['configMap']['name']}"
    assert "class Flawed" in found[config_map][1][Path(program).name]
    assert container["command"][2] == "warming"
    paths = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe")}
    assert paths == {"/healthz"}
    assert (found[AUTOSCALER][0]["minReplicas"], found[AUTOSCALER][0]["maxReplicas"]) == (4, 4)


def test_the_gateway_tries_everything_again(store: ObjectStore, tmp_path: Path) -> None:
    found = while_set_up(store, tmp_path, "retries-hiding-errors")
    for path in RETRIES:
        retry = found[path][0]["retry"]
        assert (retry["numRetries"], retry["retryOn"]["httpStatusCodes"]) == (5, [503])
        assert "perRetry" in retry


def test_budgets(store: ObjectStore, tmp_path: Path) -> None:
    assert while_set_up(store, tmp_path, "budget-blocking")[BUDGET][0]["maxUnavailable"] == 0
    assert BUDGET not in while_set_up(store, tmp_path, "no-budget-at-drain")
