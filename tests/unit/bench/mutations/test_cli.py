"""The command goes on where it was broken off, and says what was as expected and what was not."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.object_store import ObjectStore

from bench.__main__ import main
from bench.mutations import cli
from bench.mutations.catalogue import MUTATIONS, Mutation
from bench.mutations.effect import BUDGET
from bench.mutations.objects import Changes, removed
from bench.mutations.results import Result, place, read, save
from tidegate.errors import TidegateError
from tidegate.models.stack import load_stack
from tidegate.models.trial import Finding

ROOT = Path(__file__).resolve().parents[4]
REASONS = {
    "one-replica": "1 web pods were Ready before the fault; the claim is about at least 3.",
    "clock-skew": "The recorders' clocks are at least 29.2 s apart: nothing came sooner.",
}


def result(mutation: Mutation, number: int, *, right: bool = True) -> Result:
    reason = REASONS.get(mutation.name, "") if right else "something else"
    return Result(
        name=mutation.name,
        number=number,
        experiment=mutation.experiment,
        how=mutation.how,
        expected=mutation.expected,
        expected_reason=mutation.reason,
        finding=mutation.expected,
        reasons=(reason,),
        as_expected=right,
        run="runs/one",
        users=12,
        began_s=1.0,
        took_s=2.0,
    )


def settled(*_: Any) -> None: ...


class Stage:
    """The command on a stack that is only pretended."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.store = ObjectStore(
            {
                BUDGET: {
                    "kind": "PodDisruptionBudget",
                    "metadata": {"labels": {}},
                    "spec": {"maxUnavailable": 1},
                }
            }
        )
        self.journal = folder / "journal.json"
        self.tried: list[str] = []
        self.wrong: set[str] = set()
        self.failing: set[str] = set()
        self.leaves_broken = False
        config = load_stack(ROOT / "Pulumi.chaos.yaml")

        def attach(name: str) -> Any:
            return SimpleNamespace(name=name, config=config, gateway="http://127.0.0.1:1")

        monkeypatch.setattr(cli, "attach", attach)
        monkeypatch.setattr(cli, "where", self.where)
        monkeypatch.setattr(cli, "journal", self.journal_of)
        monkeypatch.setattr(cli, "wait_until_settled", settled)
        monkeypatch.setattr(cli, "try_out", self.try_out)
        monkeypatch.setenv("TIDEGATE_STATE", str(folder / "state"))

    def where(self, *_: Any, **__: Any) -> Any:
        return SimpleNamespace(open=self.store.cluster)

    def journal_of(self, _site: Any) -> Path:
        return self.journal

    def try_out(self, _trying: Any, mutation: Mutation, number: int, _say: Any) -> Result:
        name = f"{mutation.name} {number}"
        self.tried.append(name)
        if name in self.failing:
            if self.leaves_broken:
                Changes(self.store.cluster(), self.journal).make(removed(BUDGET))
            raise TidegateError("the service never came to rest")
        return result(mutation, number, right=mutation.name not in self.wrong)

    def run(self, *words: str) -> int:
        return main(["mutations", "--results", str(self.folder / "results"), *words])


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(tmp_path, monkeypatch)


def test_the_sound_stack_comes_first_with_each_experiment_and_at_the_end() -> None:
    names = [f"{mutation.name} {number}" for mutation, number in cli.jobs([], 1, 10)]
    assert names[:5] == [f"sound {number}" for number in range(1, 6)]
    assert names[5:17] == [f"{each.name} 1" for each in MUTATIONS]
    assert names[17:] == [f"sound {number}" for number in range(6, 11)]
    assert cli.jobs(["sound"], 3, 2) == cli.jobs(["sound"], 1, 2)
    assert [number for _, number in cli.jobs(["clock-skew"], 3, 10)] == [1, 2, 3]


def test_what_was_tried_is_kept_and_skipped_the_next_time(stage: Stage) -> None:
    stage.failing = {"clock-skew 1"}
    words = ("--only", "one-replica", "--only", "clock-skew")
    assert stage.run(*words) == 3
    stage.failing = set()
    assert stage.run(*words) == 0
    assert stage.tried == ["one-replica 1", "clock-skew 1", "clock-skew 1"]
    assert stage.run(*words, "--again") == 0
    assert len(stage.tried) == 5


def test_a_verdict_that_is_right_for_the_wrong_reason_is_told(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    stage.wrong = {"clock-skew"}
    assert stage.run("--only", "one-replica", "--only", "clock-skew", "-o", "json") == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["mutations_found"], told["mutations_tried"], told["missing"]) == (1, 2, [])
    assert [each["as_expected"] for each in told["results"]] == [True, False]


def test_what_could_not_be_tried_is_named(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    stage.failing = {"one-replica 1"}
    assert stage.run("--only", "one-replica", "-o", "json") == 3
    assert json.loads(capsys.readouterr().out)["missing"] == ["one-replica 1: the service never came to rest"]


def test_on_a_stack_that_is_still_broken_nothing_else_is_tried(stage: Stage) -> None:
    stage.failing, stage.leaves_broken = {"one-replica 1"}, True
    assert stage.run("--only", "one-replica", "--only", "clock-skew") == 3
    assert stage.tried == ["one-replica 1"]
    assert BUDGET not in stage.store.objects


def test_the_next_start_mends_what_a_killed_one_left(
    stage: Stage, capsys: pytest.CaptureFixture[str]
) -> None:
    Changes(stage.store.cluster(), stage.journal).make(removed(BUDGET))
    assert stage.run("--undo") == 0
    assert stage.store.objects[BUDGET]["spec"] == {"maxUnavailable": 1}
    assert "1 changes of an earlier call were put back" in capsys.readouterr().err
    assert stage.tried == []


def test_the_sound_set_up_is_counted_apart(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.run("--only", "sound", "--sound", "3", "-o", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["sound_held"], told["sound_tried"], told["mutations_tried"]) == (3, 3, 0)


def test_the_list_and_the_table(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mutations", "--list"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 13
    assert stage.run("--only", "clock-skew") == 0
    assert "clock-skew" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["--repeat", "0"], ["--sound", "0"], ["--users", "0"]])
def test_less_than_once_is_refused(words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["mutations", *words])


def test_a_mutation_that_there_is_not_is_an_error(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    assert stage.run("--only", "one-replicas") == 3
    assert "the nearest name is one-replica" in capsys.readouterr().err


def test_a_kept_result_is_judged_by_what_is_expected_now(tmp_path: Path) -> None:
    from dataclasses import replace

    mutation = next(each for each in MUTATIONS if each.name == "clock-skew")
    save(tmp_path, result(mutation, 1))
    assert (read(tmp_path, mutation, 1) or result(mutation, 1)).as_expected
    stricter = read(tmp_path, replace(mutation, reason="a reason of tomorrow"), 1)
    assert stricter is not None
    assert not stricter.as_expected
    assert read(tmp_path, replace(mutation, experiment="redis-away"), 1) is None
    assert read(tmp_path, mutation, 2) is None
    place(tmp_path, mutation.name, 1).write_text("{")
    with pytest.raises(TidegateError, match="no result that can be read"):
        read(tmp_path, mutation, 1)


def test_expected_findings_are_those_of_the_verdict() -> None:
    assert {each.expected for each in MUTATIONS} <= set(Finding)
