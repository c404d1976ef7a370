"""Which images load from inside the cluster needs beside those that every deployment runs."""

from __future__ import annotations

from tidegate.models.load import LoadConfig

GENERATOR = "load"
"""Name in the catalogue of the image that generates load."""


def generators(load: LoadConfig) -> list[str]:
    """Return names of images of the catalogue, all of the role `option`; none unless the stack asks."""
    return [GENERATOR] if load.in_cluster else []
