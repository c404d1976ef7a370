from __future__ import annotations

from pathlib import Path

import pytest
from support.added_node import GROUP, MARKS, NODE, added_node
from support.synthetic_run import T0, build_run

from tidegate.lag import NODE_PARTS, NodePath, node_paths
from tidegate.run import RunReader


def only(run: Path) -> NodePath:
    (found,) = node_paths(RunReader(run))
    return found


def test_the_way_of_a_node_is_the_one_that_was_played(tmp_path: Path) -> None:
    path = only(build_run(tmp_path, more=added_node()))
    assert (path.node, path.group, path.first_pod) == (NODE, GROUP, "late-2")
    assert path.missing == ()
    # The event came after the making began, so the asking is put where it must have been.
    wanted = {**MARKS, "asked": MARKS["begun"]}
    assert [mark - T0 for mark in path.marks_s if mark is not None] == list(wanted.values())


def test_the_parts_follow_one_another_and_add_up(tmp_path: Path) -> None:
    path = only(build_run(tmp_path, more=added_node()))
    assert list(path.parts_s) == list(NODE_PARTS)
    assert path.parts_s["provision"] == MARKS["joining"] - MARKS["begun"]
    assert path.parts_s["join"] == MARKS["joined"] - MARKS["joining"]
    assert sum(path.parts_s.values()) == path.total_s == MARKS["pod_ready"] - MARKS["pending"]
    assert path.node_ready_s == MARKS["ready"] - MARKS["begun"]


def test_without_the_autoscalers_word_nothing_is_made_up(tmp_path: Path) -> None:
    path = only(build_run(tmp_path, more=added_node(event=False)))
    assert path.missing == ("pending", "asked")
    assert path.total_s is None
    assert path.node_ready_s is None
    assert "provision" in path.parts_s


def test_an_asking_for_another_group_is_not_this_nodes(tmp_path: Path) -> None:
    records = added_node()
    said = records[-1][3]
    other = {**said, "message": "pod triggered scale-up: [{large 1->3 (max: 4)} {huge 0->1 (max: 1)}]"}
    path = only(build_run(tmp_path, more=(*records[:-1], (*records[-1][:3], other))))
    assert "asked" in path.missing


@pytest.mark.parametrize("kind", ["SNAPSHOT", "MODIFIED"])
def test_nodes_that_were_there_before_are_not_added_ones(tmp_path: Path, kind: str) -> None:
    nodes = [(at, kind, what, value) for at, _, what, value in added_node() if what == "Node"]
    assert node_paths(RunReader(build_run(tmp_path, more=tuple(nodes)))) == []


def test_a_run_without_groups_has_none(tmp_path: Path) -> None:
    assert node_paths(RunReader(build_run(tmp_path))) == []
