"""Programs without an engine, and what they are made of."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from support.pulumi_program import Deploy, Deployed, have_event_loop, run_program

from infra.cluster.docker import tool_env
from infra.images import Image, Images
from tidegate.images.controllers import KEDA_DEFINITIONS, VPA_DEFINITIONS

__all__ = ["Deploy", "Deployed"]


@pytest.fixture(autouse=True)
def event_loop() -> None:
    """Outputs are made in tests too, not only in programs."""
    have_event_loop()


@pytest.fixture(scope="session")
def deploy() -> Deploy:
    """Return a function that runs a program and tells what it registered."""
    return run_program


@pytest.fixture(scope="session")
def images() -> Images:
    """Images with a reference and an id each, without those that a stack must ask for."""
    names = [each.name for each in fields(Images) if each.default is MISSING]
    made = {name: Image(f"example/{name.replace('_', '-')}:1.0", f"sha256:{name}") for name in names}
    return Images(**made)


OPTIONS = [each.name for each in fields(Images) if each.default is not MISSING]


@pytest.fixture(scope="session")
def options() -> dict[str, Image]:
    """The images that only some policies need, by their fields."""
    return {name: Image(f"example/{name.replace('_', '-')}:1.0", f"sha256:{name}") for name in OPTIONS}


@pytest.fixture(scope="session")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Definitions such as the modules have, cut down to what is looked at."""
    folder = tmp_path_factory.mktemp("definitions")
    schema: dict[str, Any] = {
        "openAPIV3Schema": {"type": "object", "description": "dropped", "properties": {"spec": {}}}
    }
    kinds = {
        KEDA_DEFINITIONS: ("scaledobjects.keda.sh", "scaledjobs.keda.sh"),
        VPA_DEFINITIONS: ("verticalpodautoscalers.autoscaling.k8s.io",),
    }
    for part, names in kinds.items():
        (folder / part).mkdir()
        for name in names:
            made: dict[str, Any] = {
                "apiVersion": "apiextensions.k8s.io/v1",
                "kind": "CustomResourceDefinition",
                "metadata": {"name": name, "creationTimestamp": None},
                "spec": {"versions": [{"name": "v1", "subresources": {"status": {}}, "schema": schema}]},
            }
            (folder / part / f"{name}.yaml").write_text(f"---\n{json.dumps(made)}\n")
    return {part: folder / part for part in kinds}


@pytest.fixture(scope="session")
def helm() -> str:
    """The path of helm, with which charts are rendered."""
    found = shutil.which("helm", path=tool_env()["PATH"])
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("helm is not on PATH")
        pytest.skip("helm is not on PATH; `tidegate doctor` tells how to get it")
    return found
