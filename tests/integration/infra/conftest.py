"""Tools and objects that the tests of this folder share."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from support.kube_checks import at_hand
from support.promtool import promtool_program
from support.rendered import (
    CHART_ONLY,
    EXPERIMENTS,
    GENERATORS,
    NODE_IMAGE,
    experiments,
    load_generators,
    node_storage,
    render,
    render_chart,
    stacks,
)

from infra.cluster.docker import tool_env
from infra.manifests import Manifest


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus' checker, of the version that the cluster runs."""
    return promtool_program()


@pytest.fixture(scope="session")
def rendered() -> dict[str, list[Manifest]]:
    """All objects: of every stack by its name, the chart by itself, the node image, the experiments, and what
    generates load."""
    if shutil.which("helm", path=tool_env()["PATH"]) is None:
        if os.environ.get("CI") == "true":
            pytest.fail("helm is not on PATH")
        pytest.skip("helm is not on PATH; `tidegate doctor` tells how to get it")
    made = {name: at_hand(lambda each=stack: render(each)) for name, stack in stacks().items()}
    others = {NODE_IMAGE: node_storage(), EXPERIMENTS: experiments(), GENERATORS: load_generators()}
    return {**made, CHART_ONLY: render_chart(), **others}
