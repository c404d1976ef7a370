"""A small project, and a cache of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import tiny_project


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache and state folders of this test alone."""
    monkeypatch.setenv("TIDEGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("TIDEGATE_SOURCE", raising=False)
    monkeypatch.delenv("TIDEGATE_REGISTRY_MIRROR", raising=False)
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with the smallest catalogue."""
    return tiny_project.write(tmp_path / "project")
