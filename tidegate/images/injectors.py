"""Which images and files the fault layer needs beside those that every deployment runs."""

from __future__ import annotations

from tidegate.models.faults import FaultsConfig

CHAOS_DEFINITIONS = "chaos-mesh-definitions"
"""Name in the catalogue of the folder that holds Chaos Mesh's custom resource definitions."""


def injectors(faults: FaultsConfig) -> list[str]:
    """Return names of images of the catalogue, all of the role `option`; none without faults."""
    return ["chaos-controller-manager", "chaos-daemon", "chaos-coredns"] if faults.chaos_mesh else []


def fault_definitions(faults: FaultsConfig) -> list[str]:
    """Return names of files of the catalogue that define the kinds of the injectors."""
    return [CHAOS_DEFINITIONS] if faults.chaos_mesh else []
