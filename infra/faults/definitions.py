"""Chaos Mesh's kinds, as its Go module has them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import yaml

from infra.manifests import Manifest
from tidegate.errors import TidegateError


def definitions(folder: Path) -> list[Manifest]:
    """Return the custom resource definitions in `folder`, without their descriptions.

    All of them, also those of clouds and physical machines: the controller watches every kind it knows and
    does not start where one is missing. Descriptions are two thirds of three megabytes, and nobody reads them
    in a cluster.

    Raises:
        TidegateError: there are none.
    """
    found = [
        cast("Manifest", _bare(yaml.safe_load(path.read_text(encoding="utf-8"))))
        for path in sorted(folder.glob("*.yaml"))
    ]
    if not found:
        raise TidegateError("no custom resource definitions", where=str(folder))
    return found


def _bare(value: object) -> object:
    if isinstance(value, list):
        return [_bare(each) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    parts = cast("dict[str, object]", value)
    # A property may itself be called `description`; then it is a schema and not a text.
    return {
        key: _bare(part)
        for key, part in parts.items()
        if not (key == "description" and isinstance(part, str))
    }
