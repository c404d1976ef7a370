"""What each set-up came to, one file each, so that what was found outlives a broken-off call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from rich.table import Table
from rich.text import Text

from bench.mutations.catalogue import Mutation
from tidegate.errors import TidegateError
from tidegate.models.base import Count, Model, SecondsFloat, UnixSeconds
from tidegate.models.trial import Finding
from tidegate.run.folder import write_atomic

FOLDER = Path(__file__).parents[1] / "results" / "mutations"


class Result(Model):
    """One set-up, tried once."""

    name: str = Field(description="The mutation, or `sound`.")
    number: Count = Field(ge=1, description="The how-manieth time.")
    experiment: str = Field(description="What was done to it.")
    how: str = Field(description="How it was made.")
    expected: Finding = Field(description="What the verdict had to come to.")
    expected_reason: str = Field(description="Pattern that one of its reasons had to fit.")
    finding: Finding = Field(description="What it came to.")
    reasons: tuple[str, ...] = Field(description="Its reasons.")
    as_expected: bool = Field(description="Whether it is the right finding for the right reason.")
    run: str = Field(description="Folder of the Run.")
    users: Count = Field(description="Simulated users of the load.")
    began_s: UnixSeconds = Field(description="When it began, with the making of the set-up; unix seconds.")
    took_s: SecondsFloat = Field(description="Seconds until the stack was as before.")


def place(folder: Path, name: str, number: int) -> Path:
    """Return the file of one result."""
    return folder / f"{name}-{number:02d}.json"


def save(folder: Path, result: Result) -> None:
    """Write a result.

    Raises:
        TidegateError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TidegateError(f"cannot be made: {error.strerror}", where=str(folder)) from error
    write_atomic(place(folder, result.name, result.number), result.model_dump_json(indent=1).encode() + b"\n")


def read(folder: Path, mutation: Mutation, number: int) -> Result | None:
    """Return the result of an earlier trial, judged by what is expected now; None without one.

    Raises:
        TidegateError: the file is damaged.
    """
    path = place(folder, mutation.name, number)
    try:
        found = Result.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise TidegateError("no result that can be read", where=str(path), cure="remove it") from error
    if found.experiment != mutation.experiment:
        return None  # of another version: it was tried on something else
    now = {
        "expected": mutation.expected,
        "expected_reason": mutation.reason,
        "as_expected": mutation.fits(found.finding, found.reasons),
    }
    return found.model_copy(update=now)


def summary(results: Sequence[Result], missing: Sequence[str]) -> dict[str, Any]:
    """Return all of them for a program: how many broken set-ups were found, and sound ones held."""
    broken = [each for each in results if each.name != "sound"]
    sound = [each for each in results if each.name == "sound"]
    return {
        "mutations_found": sum(each.as_expected for each in broken),
        "mutations_tried": len(broken),
        "sound_held": sum(each.as_expected for each in sound),
        "sound_tried": len(sound),
        "missing": list(missing),
        "results": [each.model_dump(mode="json") for each in results],
    }


def view(results: Sequence[Result]) -> Table:
    """Return all of them for a reader."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("set-up", "experiment", "expected", "verdict", "as expected", "reasons"):
        table.add_column(column, overflow="fold")
    for each in results:
        right = Text("yes", style="bold green") if each.as_expected else Text("no", style="bold red")
        words = [str(each.expected).replace("_", " "), str(each.finding).replace("_", " ")]
        table.add_row(f"{each.name} {each.number}", each.experiment, *words, right, "\n".join(each.reasons))
    return table
