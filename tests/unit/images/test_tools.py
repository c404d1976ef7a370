"""Installed tools are taken where they will do; built ones are linked."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import tiny_project

from tidegate.errors import TidegateError
from tidegate.images.ensure import ensure_tools
from tidegate.images.model import Tool
from tidegate.images.tools import accepted, usable


@pytest.mark.parametrize(
    ("said", "accept", "fits"),
    [
        ("kind v0.33.0 go1.26 linux/amd64", ">=0.31,<0.40", True),
        ("Client Version: v1.36.3", ">=1.35,<1.38", True),
        ("v1.34.9", ">=1.35,<1.38", False),
        ("v1.38.0", ">=1.35,<1.38", False),
        ("v4.3.1+g0000", ">=3.17,<5", True),
        ("v5.0.0", ">=3.17,<5", False),
        ("no version at all", ">=1,<2", False),
    ],
)
def test_versions_within_bounds(said: str, accept: str, fits: bool) -> None:
    assert accepted(said, accept) is fits


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of PATH, beside the shell's."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")
    return folder


def install(folder: Path, name: str, says: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\necho '{says}'\n")
    program.chmod(0o755)
    return program


TOOL = Tool(binary="hello-tool", beside=("hello-mate",), accept=">=1,<2", version_command=("version",))


def test_an_installed_tool_needs_a_fitting_version_and_its_companions(path: Path) -> None:
    assert usable("hello-tool", TOOL, "auto") is None
    program = install(path, "hello-tool", "v1.5.0")
    assert usable("hello-tool", TOOL, "auto") is None
    install(path, "hello-mate", "")
    assert usable("hello-tool", TOOL, "auto") == program
    assert usable("hello-tool", TOOL, "registry") == program
    assert usable("hello-tool", TOOL, "packages") is None
    install(path, "hello-tool", "v2.0.0")
    assert usable("hello-tool", TOOL, "auto") is None


def test_a_link_of_ours_is_not_an_installed_tool(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "state" / "bin"
    install(ours, "hello-tool", "v1.5.0")
    install(ours, "hello-mate", "")
    monkeypatch.setenv("PATH", f"{ours}:{path}:/bin:/usr/bin")
    assert usable("hello-tool", TOOL, "auto") is None


def test_the_registry_source_asks_for_an_installed_one(path: Path) -> None:
    with pytest.raises(TidegateError, match=r"hello-tool >=1,<2 is not installed.*--source packages"):
        usable("hello-tool", TOOL, "registry")


def test_an_unknown_tool_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(TidegateError, match=r"no tool 'helo'.*choose from hello"):
        ensure_tools(["helo"])


def test_an_installed_tool_is_used_and_nothing_is_built(
    root: Path, path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.chdir(root)
    program = install(path, "hello", "v1.0.0")
    assert ensure_tools(None) == {"hello": program}
    assert not (cache / "bin").exists()
    assert tiny_project.catalogue()["tools"].keys() == {"hello"}
