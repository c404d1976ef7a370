from __future__ import annotations

import pytest

from tidegate.nodes.marks import Mark, Stage, is_lost, machines


@pytest.mark.parametrize(
    ("stages", "shown"),
    [
        ([Stage.WANTED], Stage.WANTED),
        ([Stage.JOINED, Stage.WANTED], Stage.JOINED),
        ([Stage.WANTED, Stage.FAILED], Stage.FAILED),
        ([Stage.DELETING, Stage.WANTED, Stage.FAILED], Stage.DELETING),
    ],
)
def test_the_strongest_mark_counts_in_any_order(stages: list[Stage], shown: Stage) -> None:
    marks = [Mark("a", "small", stage) for stage in stages]
    assert [each.stage for each in machines(marks, {})] == [shown]
    assert [each.stage for each in machines(marks[::-1], {})] == [shown]


def test_the_reason_is_that_of_the_failure() -> None:
    marks = [Mark("a", "small", Stage.FAILED, "no route"), Mark("a", "small", Stage.WANTED)]
    assert machines(marks, {})[0].note == "no route"


def test_nodes_come_by_name() -> None:
    marks = [Mark("b", "small", Stage.WANTED), Mark("a", "large", Stage.WANTED)]
    assert [each.node for each in machines(marks, {"c": "small"})] == ["a", "b", "c"]


def test_only_a_joined_node_can_be_lost() -> None:
    for stage in Stage:
        (machine,) = machines([Mark("a", "small", stage)], {})
        assert is_lost(machine, {}) is (stage is Stage.JOINED)
        assert not is_lost(machine, {"a": "small"})
