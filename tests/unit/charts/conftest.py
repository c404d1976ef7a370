"""Render the chart through the real helm."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra import helm
from infra.cluster.docker import tool_env
from infra.manifests import Manifest
from infra.service.values import merge

CHART = Path(__file__).resolve().parents[3] / "charts" / "tidegate-service"

Render = Callable[..., list[Manifest]]


@pytest.fixture(scope="session")
def helm_binary() -> str:
    found = shutil.which("helm", path=tool_env()["PATH"])
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("helm is not on PATH")
        pytest.skip("helm is not on PATH; `tidegate doctor` tells how to get it")
    return found


@pytest.fixture
def render(helm_binary: str) -> Render:
    """Return a function that renders the chart with values laid over its own defaults."""

    def run(*values: dict[str, Any]) -> list[Manifest]:
        merged: dict[str, Any] = {}
        for each in values:
            merged = merge(merged, each)
        return helm.template(CHART, "tidegate", "tidegate", merged)

    return run


@pytest.fixture
def refused(helm_binary: str) -> Callable[[list[str]], str]:
    """Return a function that renders with `--set` words, expects a refusal, and returns helm's reason."""

    def run(words: list[str]) -> str:
        sets = [word for each in words for word in ("--set", each)]
        done = subprocess.run(
            [helm_binary, "template", "tidegate", str(CHART), *sets],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0, "the chart accepted the values"
        return done.stderr

    return run
