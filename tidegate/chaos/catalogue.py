"""The experiments of the project, by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tidegate.chaos.experiment import Experiment, read_experiment
from tidegate.errors import TidegateError
from tidegate.host.paths import project_root
from tidegate.models.problems import nearest

FOLDER = "chaos"


def available(folder: Path | None = None) -> list[str]:
    """Return the names of all experiments, sorted."""
    place = folder or project_root() / FOLDER
    return sorted(path.stem for path in place.glob("*.yaml"))


def load_experiments(names: Sequence[str], folder: Path | None = None) -> list[Experiment]:
    """Return the experiments with these names.

    Raises:
        TidegateError: there is no such experiment, or its file is wrong.
    """
    place = folder or project_root() / FOLDER
    known = available(place)
    for name in names:
        if name not in known:
            near = nearest(name, known)
            cure = f"the nearest name is {near}" if near else "`tidegate chaos --list` names all"
            raise TidegateError(f"there is no experiment {name!r}", where=str(place), cure=cure)
    return [read_experiment(place / f"{name}.yaml") for name in names]
