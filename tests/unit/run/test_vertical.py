from __future__ import annotations

from pathlib import Path

from support.advice import advice
from support.synthetic_run import T0, build_run

from tidegate.run import RunReader, recommendations


def test_the_last_word_of_each_container_beside_what_it_requests(tmp_path: Path) -> None:
    cpu, memory = recommendations(RunReader(build_run(tmp_path, more=advice())))
    assert (cpu.workload, cpu.container, cpu.resource, cpu.mode) == ("tidegate-web", "web", "cpu", "Off")
    assert (cpu.target, cpu.lower, cpu.upper, cpu.uncapped, cpu.request) == (0.083, 0.025, 1.5, 0.08, 0.1)
    assert (memory.target, memory.upper, memory.request) == (128 * 2**20, 2**30, 160 * 2**20)
    assert cpu.t_s == T0 + 60


def test_one_that_is_gone_has_still_said_it(tmp_path: Path) -> None:
    *_, (_, _, kind, last) = advice()
    run = build_run(tmp_path, more=(*advice(), (70.0, "DELETED", kind, last)))
    assert [one.target for one in recommendations(RunReader(run))] == [0.083, 128 * 2**20]


def test_a_figure_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    *rest, (at, change, kind, last) = advice()
    said = last["status"]["recommendation"]["containerRecommendations"][0]
    said["lowerBound"], said["target"] = {"cpu": "much"}, {"cpu": "83m"}
    (cpu,) = recommendations(RunReader(build_run(tmp_path, more=(*rest, (at, change, kind, last)))))
    assert cpu.lower is None


def test_without_an_opinion_there_is_nothing(tmp_path: Path) -> None:
    deployment, silent, *_ = advice()
    assert recommendations(RunReader(build_run(tmp_path, more=(deployment, silent)))) == []
