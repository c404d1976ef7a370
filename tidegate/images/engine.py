"""The container engine as the catalogue needs it: what is there, and the labels that say what it is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tidegate.images.reference import parse
from tidegate.proc import run

SOURCE_LABEL = "io.tidegate.source"
"""`packages` on every image built here; a pulled one has no such label."""
RECIPE_LABEL = "io.tidegate.recipe"
VERSIONS_LABEL = "io.tidegate.versions"


@dataclass(frozen=True)
class Labels:
    """What an image built here says of itself.

    Args:
        recipe: the key of the recipe and of all that went in.
        versions: versions of what is inside.
    """

    recipe: str
    versions: Mapping[str, str] = field(default_factory=dict[str, str])

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether an image with these labels (None: there is none) was built here with the same key."""
        return labels is not None and labels.get(RECIPE_LABEL) == self.recipe

    def pairs(self) -> dict[str, str]:
        """Return the labels themselves."""
        versions = json.dumps(dict(sorted(self.versions.items())), separators=(",", ":"))
        return {SOURCE_LABEL: "packages", RECIPE_LABEL: self.recipe, VERSIONS_LABEL: versions}

    def build_arguments(self) -> list[str]:
        """Return them as arguments of `docker build`."""
        return [word for name, value in self.pairs().items() for word in ("--label", f"{name}={value}")]

    def changes(self) -> list[str]:
        """Return them as arguments of `docker import` and `docker commit`."""
        quoted = {name: json.dumps(value) for name, value in self.pairs().items()}
        return [word for name, value in quoted.items() for word in ("--change", f"LABEL {name}={value}")]


class Docker:
    """The docker command against one engine.

    Args:
        engine_env: what points it at the engine (DOCKER_HOST and the like); added to this process's own.
    """

    def __init__(self, engine_env: Mapping[str, str]) -> None:
        self.env = {**os.environ, **engine_env}

    def command(self, *words: str) -> list[str]:
        """Return a docker command line."""
        return ["docker", *words]

    def call(self, *words: str, check: bool = True) -> str:
        """Run docker and return its standard output.

        Raises:
            TidegateError: it is absent or failed (with `check`).
        """
        return run(self.command(*words), env=self.env, check=check, timeout_s=120).stdout

    def labels(self, references: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the labels of those of the images that the engine has.

        Raises:
            TidegateError: the engine does not answer.
        """
        rows = self._inspect("{{json .RepoTags}}\t{{json .Config.Labels}}", references)
        return {name: json.loads(said) or {} for name, said in rows.items()}

    def sizes(self, references: Sequence[str]) -> dict[str, int]:
        """Return the size in bytes of those of the images that the engine has."""
        return {
            name: int(said)
            for name, said in self._inspect("{{json .RepoTags}}\t{{.Size}}", references).items()
        }

    def ids(self, references: Sequence[str]) -> dict[str, str]:
        """Return the engine's id of those of the images that it has."""
        rows = self._inspect("{{json .RepoTags}}\t{{.Id}}", references)
        return {name: said.strip() for name, said in rows.items()}

    def _inspect(self, template: str, references: Sequence[str]) -> dict[str, str]:
        """Ask for all images at once; the engine prints those it has, and the tags tell which they are."""
        if not references:
            return {}
        self.call("version", "--format", "{{.Server.Version}}")
        wanted = {parse(reference).familiar: reference for reference in references}
        found: dict[str, str] = {}
        for line in self.call(
            "image", "inspect", "--format", template, *references, check=False
        ).splitlines():
            tags, tab, value = line.partition("\t")
            if not tab:
                continue
            names: list[str] = json.loads(tags) or []
            found |= {wanted[name]: value for name in names if name in wanted}
        return found

    def built(self) -> list[str]:
        """Return the references of all images built here, whatever their recipe."""
        said = self.call("images", "--filter", f"label={SOURCE_LABEL}=packages", "--format", "{{json .}}")
        rows: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines() if line.strip()]
        return [f"{row['Repository']}:{row['Tag']}" for row in rows if row["Tag"] != "<none>"]

    def root(self) -> Path | None:
        """Return the engine's data folder if it lies on this machine and can be seen."""
        said = self.call("info", "--format", "{{.DockerRootDir}}", check=False).strip()
        folder = Path(said) if said.startswith("/") else None
        return folder if folder is not None and folder.exists() else None
