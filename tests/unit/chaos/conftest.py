"""Experiments written for one test."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Change = Callable[[dict[str, Any]], None]
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a copy of the project's pod-kill with changes and returns its path."""
    original = yaml.safe_load((Path(__file__).parents[3] / "chaos" / "pod-kill.yaml").read_text())

    def made(change: Change = lambda _: None, name: str = "pod-kill") -> Path:
        manifest = copy.deepcopy(original)
        change(manifest)
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(manifest))
        return path

    return made
