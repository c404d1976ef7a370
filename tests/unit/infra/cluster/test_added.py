from __future__ import annotations

from collections.abc import Callable

import pytest

from infra.cluster import added
from tidegate.nodes.kind import KindHost
from tidegate.nodes.marks import Mark, Stage
from tidegate.proc import Completed

Nodes = Callable[[dict[str, str], list[Mark]], None]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Nodes:
    """Return a function that decides what the engine holds of the cluster `demo`."""

    def answer(cmd: list[str], **_: object) -> Completed:
        assert cmd[-1] == "demo-worker"
        return Completed(0, "demo\n", "")

    def hold(containers: dict[str, str], marks: list[Mark]) -> None:
        def held(host: KindHost) -> dict[str, str]:
            assert host.cluster == "demo"
            return containers

        def marked(host: KindHost) -> list[Mark]:
            return marks

        monkeypatch.setattr(added, "run", answer)
        monkeypatch.setattr(KindHost, "containers", held)
        monkeypatch.setattr(KindHost, "marks", marked)

    return hold


def test_only_nodes_that_joined_and_stay_are_given_images(engine: Nodes) -> None:
    containers: dict[str, str] = dict.fromkeys(("joined", "making", "failed", "going"), "small")
    stages = {
        "making": Stage.WANTED,
        "joined": Stage.JOINED,
        "failed": Stage.FAILED,
        "going": Stage.DELETING,
        "lost": Stage.JOINED,
    }
    engine(containers, [Mark(node, "small", stage) for node, stage in stages.items()])
    assert added.added_nodes(["demo-worker"]) == ["joined"]


def test_a_cluster_that_never_grew(engine: Nodes) -> None:
    engine({}, [])
    assert added.added_nodes(["demo-worker"]) == []
    assert added.added_nodes([]) == []
