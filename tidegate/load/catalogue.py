"""The scenarios there are, and what they can be asked for."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from tidegate import proc
from tidegate.errors import TidegateError
from tidegate.host.paths import project_root
from tidegate.load.parameters import Description, flag

_DESCRIBE_TIMEOUT_S = 120.0
"""Long enough to read a long trace."""
PROCESSES = "processes"
"""What every scenario can be asked for beside its own parameters: Locust's own flag of that name."""
MOST_PROCESSES = 64


@dataclass(frozen=True)
class ScenarioPlan:
    """A scenario with the parameters it will run with."""

    name: str
    path: Path
    parameters: dict[str, str]
    """Every parameter, defaults included."""
    given: dict[str, str]
    """Those that were asked for."""
    duration_s: float | None
    """Seconds the load lasts; None when the file does not say."""
    processes: int = 1
    """Processes that generate the load, besides one that directs them when there are several."""

    @property
    def flags(self) -> list[str]:
        """What was asked for, as command line flags."""
        return [f"{flag(name)}={value}" for name, value in self.given.items()]


def scenario_folder() -> Path:
    """Return the project's folder of Locust files."""
    return project_root() / "loadtests"


def available_scenarios(folder: Path | None = None) -> list[str]:
    """Return the names of the scenarios in `folder`, the project's own by default, sorted."""
    files = (folder or scenario_folder()).glob("[!_]*.py")
    return sorted(path.stem for path in files)


def unknown(kind: str, name: str, names: Iterable[str]) -> TidegateError:
    """Return the error for a name that is none of `names`; it tells the nearest."""
    known = sorted(names)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    cure = f"did you mean {near[0]}?" if near else f"choose from {', '.join(known)}" if known else ""
    return TidegateError(f"there is no {kind} {name!r}", cure=cure)


def plan_scenario(name: str, parameters: Mapping[str, str], *, folder: Path | None = None) -> ScenarioPlan:
    """Return the scenario `name` with `parameters` checked and the others at their defaults.

    Runs the Locust file's declarations in a child; takes a second or two.

    Raises:
        TidegateError: no such scenario or parameter (it names the nearest), or a value is out of range.
    """
    folder = folder or scenario_folder()
    names = available_scenarios(folder)
    if name not in names:
        raise unknown("scenario", name, names)
    path = folder / f"{name}.py"
    given = {parameter.replace("-", "_"): value for parameter, value in parameters.items()}
    asked = {PROCESSES: given.pop(PROCESSES)} if PROCESSES in given else {}
    processes = _processes(asked.get(PROCESSES, "1"))
    described = _describe(path, [f"{flag(parameter)}={value}" for parameter, value in given.items()])
    for parameter in given:
        if parameter not in described.parameters:
            raise unknown(f"parameter of {name}", parameter, [*described.parameters, PROCESSES])
    return ScenarioPlan(name, path, {**described.parameters, **asked}, given, described.duration_s, processes)


def _processes(text: str) -> int:
    count = int(text) if text.isdecimal() else 0
    if not 1 <= count <= MOST_PROCESSES:
        raise TidegateError(f"{PROCESSES} {text}: give a whole number from 1 to {MOST_PROCESSES}")
    return count


def _describe(path: Path, flags: list[str]) -> Description:
    done = proc.run(
        [sys.executable, "-m", "tidegate.load.describe", path, *flags],
        timeout_s=_DESCRIBE_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        lines = (done.stderr.strip() or "no output").splitlines()
        raise TidegateError(lines[-1].removeprefix("error: "), where=str(path))
    try:
        return Description.model_validate_json(done.stdout.splitlines()[-1])
    except (ValidationError, IndexError) as error:
        raise TidegateError("the scenario did not describe itself", where=str(path)) from error
