"""Custom resource definitions, as small as they can be."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, cast

from infra import helm
from infra.manifests import Manifest
from tidegate.errors import TidegateError


def slim(definition: Manifest) -> Manifest:
    """Leave out the descriptions in a definition's schemas.

    They are 2 of 2.2 MB of a gateway's, Pulumi keeps every object several times in a state file that it
    writes at each step, and only `kubectl explain` reads them.
    """

    def strip(node: Any) -> Any:
        if isinstance(node, dict):
            mapping = cast("dict[str, Any]", node)
            # A property may itself be called `description`; then its value is a schema, not a text.
            return {
                key: strip(value)
                for key, value in mapping.items()
                if key != "description" or not isinstance(value, str)
            }
        if isinstance(node, list):
            return [strip(value) for value in cast("list[Any]", node)]
        return node

    return cast("Manifest", strip(definition))


def hollow(definition: Manifest) -> Manifest:
    """Leave a definition's schema out: the kind exists and anything may be written into it.

    For a kind that a controller must find at its start although nothing of ours uses it.
    """
    anything = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    spec: dict[str, Any] = definition["spec"]
    versions = [{**version, "schema": anything} for version in cast("list[Manifest]", spec["versions"])]
    return {**definition, "spec": {**spec, "versions": versions}}


def from_files(path: Path, *, hollowed: Collection[str] = ()) -> list[Manifest]:
    """Return the definitions in a YAML file, or in all of a folder's.

    Args:
        path: the file or folder.
        hollowed: names of those whose schema is left out.

    Raises:
        TidegateError: there are none.
    """
    files = sorted(path.glob("*.yaml")) if path.is_dir() else [path]
    found = [each for file in files if file.is_file() for each in helm.documents(file.read_text("utf-8"))]
    kept = [each for each in found if each["kind"] == "CustomResourceDefinition"]
    if not kept:
        raise TidegateError(
            "no custom resource definitions were found", where=str(path), cure="run `tidegate images clean`"
        )
    slimmed = [slim(_bare(each)) for each in kept]
    return [hollow(each) if each["metadata"]["name"] in hollowed else each for each in slimmed]


def _bare(definition: Manifest) -> Manifest:
    """Leave out what generators write and the API server fills in by itself."""
    metadata: dict[str, Any] = definition["metadata"]
    kept = {key: value for key, value in metadata.items() if key != "creationTimestamp"}
    return {key: value for key, value in {**definition, "metadata": kept}.items() if key != "status"}
