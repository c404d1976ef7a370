from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from tidegate.errors import TidegateError
from tidegate.host import engine
from tidegate.nodes import cli
from tidegate.nodes.kind import KindHost
from tidegate.nodes.marks import Mark, Stage


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> SimpleNamespace:
        return SimpleNamespace(env=dict)

    def containers(host: KindHost) -> dict[str, str]:
        return {"demo-small-1": "small"}

    def marks(host: KindHost) -> list[Mark]:
        assert host.cluster == "demo"
        return [Mark("demo-small-2", "small", Stage.FAILED, "no space left")]

    monkeypatch.setattr(engine, "find_engine", found)
    monkeypatch.setattr(KindHost, "containers", containers)
    monkeypatch.setattr(KindHost, "marks", marks)


@pytest.mark.usefixtures("two_nodes")
def test_nodes_are_told_with_what_became_of_them() -> None:
    done = CliRunner().invoke(cli.app, ["list", "demo", "--json"], catch_exceptions=False)
    assert json.loads(done.stdout) == [
        {"node": "demo-small-1", "group": "small", "stage": "joined", "note": ""},
        {"node": "demo-small-2", "group": "small", "stage": "failed", "note": "no space left"},
    ]
    table = CliRunner().invoke(cli.app, ["list", "demo"], catch_exceptions=False).stdout
    assert "no space left" in table


def test_without_an_engine_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        return None

    monkeypatch.setattr(engine, "find_engine", none)
    with pytest.raises(TidegateError, match="no container engine answers"):
        CliRunner().invoke(cli.app, ["list", "demo"], catch_exceptions=False)
