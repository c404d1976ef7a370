"""Chaos Mesh's kinds, as its Go module has them."""

from __future__ import annotations

from pathlib import Path

from infra.definitions import from_files
from infra.manifests import Manifest


def definitions(folder: Path) -> list[Manifest]:
    """Return the custom resource definitions in `folder`, without their descriptions.

    All of them, also those of clouds and physical machines: the controller watches every kind it knows and
    does not start where one is missing. Descriptions are two thirds of three megabytes, and nobody reads them
    in a cluster.

    Raises:
        TidegateError: there are none.
    """
    return from_files(folder)
