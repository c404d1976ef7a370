"""A small project with a cache of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support import tiny_project
from support.own_engine import lacking

from tidegate.images.gotool import installed_go
from tidegate.proc import run


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache and state folders of this test alone, and no network for Go."""
    monkeypatch.setenv("TIDEGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("GOPROXY", "off")
    for name in ("TIDEGATE_SOURCE", "TIDEGATE_REGISTRY_MIRROR", "GONOSUMDB", "GOSUMDB"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project, asking for the Go release that is installed; the working folder."""
    go = installed_go()
    lacking([] if go else ["go"])
    document = tiny_project.catalogue()
    said = run([str(go), "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}).stdout
    document["toolchain"]["version"] = said.strip().removeprefix("go").split()[0]
    folder = tiny_project.write(tmp_path / "project", document)
    monkeypatch.chdir(folder)
    return folder
