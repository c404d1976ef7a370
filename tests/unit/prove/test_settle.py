from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.errors import TidegateError
from tidegate.prove import settle
from tidegate.prove.settle import wait_for_nodes_to_go, web_hpa

CPU = {
    "type": "ContainerResource",
    "containerResource": {"name": "cpu", "current": {"averageUtilization": 7}},
}
RPS: dict[str, Any] = {"external": {"current": {"averageValue": "250m"}}}
UNKNOWN: dict[str, Any] = {"external": {"current": {}}}


def kubectl(folder: Path, wanted: str, *answers: str) -> dict[str, str]:
    """A kubectl that gives one answer after another, the last for ever, when it is asked as `wanted`."""
    for number, answer in enumerate(answers):
        (folder / f"answer-{number}").write_text(answer)
    count, last = folder / "count", len(answers) - 1
    count.write_text("0")
    program = folder / "kubectl"
    program.write_text(
        f'#!/bin/sh\n[ "$*" = "{wanted}" ] || exit 9\nn=$(cat {count})\ncat {folder}/answer-$n\n'
        f"[ $n -lt {last} ] && echo $((n + 1)) > {count}\nexit 0\n"
    )
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


HPA_WORDS = "get hpa -l app.kubernetes.io/component=web -n tidegate -o json"
NODE_WORDS = "get nodes -l tidegate.io/node-group -o name"


def hpas(*metrics: list[dict[str, Any]]) -> str:
    items = [
        {"metadata": {"name": f"hpa-{number}"}, "spec": {}, "status": {"currentMetrics": each}}
        for number, each in enumerate(metrics)
    ]
    return json.dumps({"items": items})


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_: float) -> None:
        pass

    monkeypatch.setattr(settle.time, "sleep", sleep)


@pytest.mark.parametrize(("metric", "known"), [(CPU, True), (RPS, True), (UNKNOWN, False)])
def test_a_reading_may_be_of_cpu_or_of_a_metric_of_kedas(
    tmp_path: Path, metric: dict[str, Any], known: bool
) -> None:
    environment = kubectl(tmp_path, HPA_WORDS, hpas([metric]))
    said = settle._hpa_problem(environment)  # pyright: ignore[reportPrivateUsage]
    assert (said == "") == known


def test_while_one_metric_gives_way_to_another_there_is_no_hpa_to_go_by(tmp_path: Path) -> None:
    assert web_hpa(kubectl(tmp_path, HPA_WORDS, hpas([CPU], [RPS]))) == {}


def test_it_waits_until_the_added_nodes_are_gone(tmp_path: Path) -> None:
    said: list[str] = []
    environment = kubectl(tmp_path, NODE_WORDS, "node/a\nnode/b\n", "node/a\nnode/b\n", "node/a\n")
    wait_for_nodes_to_go(environment, 1, say=said.append)
    assert len(said) == 2
    assert "2 are there" in said[0]


def test_nodes_that_stay_are_an_error(tmp_path: Path) -> None:
    environment = kubectl(tmp_path, NODE_WORDS, "node/a\n")
    with pytest.raises(TidegateError, match="added nodes to go"):
        wait_for_nodes_to_go(environment, 0, say=lambda _: None, limit_s=-1)
