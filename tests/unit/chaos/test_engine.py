"""A fault is lifted whatever happens, and the Run says what was measured and not what was claimed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.chaos_run import POLICY, SLO

from tidegate.chaos import engine as under_test
from tidegate.chaos.blast import Radius
from tidegate.chaos.catalogue import load_experiments
from tidegate.chaos.doing import Doing
from tidegate.chaos.engine import Engine, Setting
from tidegate.chaos.experiment import Experiment
from tidegate.chaos.injector import Word
from tidegate.errors import TidegateError
from tidegate.models import ClusterConfig, Plan
from tidegate.run import RequestRow, RunReader, new_run, request_writer


class Pretended(Doing):
    """A fault that is only counted."""

    def __init__(self, *, refused: bool = False, dies: bool = False) -> None:
        self.refused, self.dies = refused, dies
        self.begun = self.lifted = 0

    def begin(self) -> None:
        if self.refused:
            raise TidegateError("Specified qdisc kind is unknown")
        self.begun += 1

    def ask(self) -> Word:
        if self.dies:
            raise TidegateError("the cluster does not answer")
        return Word(injected=True, recovered=False, pods=("web-a",), errors=())

    def lift(self) -> dict[str, Any]:
        self.lifted += 1
        return {}

    def afterwards(self) -> list[list[str]]:
        return [["true"]]


class NoSampler:
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def prefer(self, pods: Any) -> None: ...


REACH = Radius(pods=("web-a", "web-b"), most=1, ready=2, beyond=(), lasts_s=30, expires_s=30)
Make = Callable[..., tuple[Engine, Path]]


def _unharmed(_self: object) -> str:
    return ""


@pytest.fixture
def lifters(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done with the process of last resort, in order."""
    done: list[str] = []

    def start(*_: Any) -> int:
        done.append("started")
        return 4711

    monkeypatch.setattr(under_test, "start_lifter", start)

    def end(_pid: int) -> None:
        done.append("ended")

    monkeypatch.setattr(under_test, "end_lifter", end)
    monkeypatch.setattr(under_test.Harm, "seen", _unharmed)
    return done


@pytest.fixture
def make(tmp_path: Path, lifters: list[str]) -> Make:
    """Makes an engine on an empty Run in which load is already there."""

    def made(how: Doing, name: str = "pod-kill", **spans: float) -> tuple[Engine, Path]:
        plan = Plan(
            run_id="run",
            created_s=time.time(),
            scenario=name,
            policy=POLICY,
            slo=SLO,
            cluster=ClusterConfig(),
        )
        folder = new_run(tmp_path, plan)
        (folder / "requests" / "x.parquet").touch()
        engine = Engine(
            Setting(folder, "http://127.0.0.1:1", dict(os.environ)),
            _short(load_experiments([name])[0], **spans),
            REACH,
            how,
            NoSampler(),  # type: ignore[arg-type]
            lambda _: None,
        )
        return engine, folder

    return made


def _short(experiment: Experiment, before_s: float = 0.1, after_s: float = 0.1) -> Experiment:
    from dataclasses import replace

    claim = experiment.hypothesis.model_copy(update={"before_s": before_s, "after_s": after_s})
    return replace(experiment, hypothesis=claim)


def phases(folder: Path) -> list[str]:
    (folder / "requests" / "x.parquet").unlink(missing_ok=True)
    return [fault.phase for fault in RunReader(folder).faults()]


@pytest.fixture(autouse=True)
def no_conclusion(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in for a segment is no Parquet; what is concluded has tests of its own."""

    def nothing(_self: Engine, _run: object) -> bool:
        return True

    monkeypatch.setattr(Engine, "_conclude", nothing)


def test_it_is_asked_for_made_and_lifted_in_that_order(make: Make, lifters: list[str]) -> None:
    how = Pretended()
    engine, folder = make(how)
    engine.start()
    engine.join()
    assert (how.begun, how.lifted) == (1, 1)
    assert phases(folder) == ["asked", "lifted"]
    assert lifters == ["started", "ended"]


def test_ctrl_c_while_it_lasts_lifts_it(make: Make, lifters: list[str]) -> None:
    how = Pretended()
    engine, folder = make(how, "cpu-stress")
    engine.start()
    while not how.begun:
        time.sleep(0.01)
    engine.stop()
    assert how.lifted == 1
    assert phases(folder) == ["asked", "lifted"]
    assert lifters == ["started", "ended"]


def test_an_end_before_the_fault_makes_none(make: Make, lifters: list[str]) -> None:
    how = Pretended()
    engine, folder = make(how, before_s=60.0)
    engine.start()
    engine.stop()
    assert (how.begun, how.lifted, lifters) == (0, 0, [])
    assert phases(folder) == []


def test_a_cluster_that_goes_silent_meanwhile_lifts_it_and_is_told(make: Make) -> None:
    how = Pretended(dies=True)
    engine, folder = make(how)
    engine.start()
    with pytest.raises(TidegateError, match="does not answer"):
        engine.join()
    assert how.lifted == 1
    assert phases(folder) == ["asked", "lifted"]


def test_a_refusal_is_recorded_with_its_reason(make: Make) -> None:
    engine, folder = make(Pretended(refused=True))
    engine.start()
    engine.join()
    phases(folder)
    (lifted,) = [fault for fault in RunReader(folder).faults() if fault.phase == "lifted"]
    assert "Specified qdisc kind is unknown" in lifted.evidence["injector"]["errors"][0]


def test_a_fault_that_cannot_be_lifted_leaves_the_process_that_will(make: Make, lifters: list[str]) -> None:
    class Stuck(Pretended):
        def lift(self) -> dict[str, Any]:
            raise TidegateError("cannot be deleted")

    engine, _ = make(Stuck())
    engine.start()
    with pytest.raises(TidegateError, match="cannot be deleted"):
        engine.join()
    assert lifters == ["started"]


def test_what_was_asked_is_all_that_a_verdict_needs(make: Make) -> None:
    engine, folder = make(Pretended())
    engine.start()
    engine.join()
    phases(folder)
    asked = RunReader(folder).faults()[0].evidence
    assert {"hypothesis", "kind", "at_once", "pods", "most", "expires_s"} <= set(asked)


def test_the_generators_clock_is_noted_beside_this_programs(make: Make) -> None:
    engine, folder = make(Pretended())
    (folder / "requests" / "x.parquet").unlink()
    row = RequestRow(1.0, 1.0, 1234.5, "GET", "GET /", 200, True, None, "web-a", None, 1, 1)
    with request_writer(folder, "load") as rows:
        rows.append(row)
    engine.start()
    engine.join()
    assert RunReader(folder).faults()[0].evidence["newest_request_s"] == 1234.5


def test_a_segment_that_cannot_be_read_leaves_it_open(make: Make) -> None:
    engine, folder = make(Pretended())
    engine.start()
    engine.join()
    phases(folder)
    assert RunReader(folder).faults()[0].evidence["newest_request_s"] is None


def test_a_harmed_service_lifts_it_early(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:

    def harmed(_self: object) -> str:
        return "no answer from outside for 16 s"

    monkeypatch.setattr(under_test.Harm, "seen", harmed)
    engine, folder = make(Pretended(), "cpu-stress")
    engine.start()
    engine.join()
    phases(folder)
    (lifted,) = [fault for fault in RunReader(folder).faults() if fault.phase == "lifted"]
    assert lifted.evidence["injector"]["aborted"] == "no answer from outside for 16 s"
