"""The raw figures of one benchmark, as they are kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.spread import Spread
from tidegate.errors import TidegateError

FOLDER = Path(__file__).parent / "results"
FORMAT = 1

Sample = dict[str, Any]
"""One run of one variant: `variant`, `repetition`, `discarded` where it does not count, and its figures."""


@dataclass(frozen=True)
class Raw:
    """Everything one benchmark has measured.

    Attributes:
        benchmark: its name.
        began_at: Unix time.
        took_s: how long all of it took.
        stolen_s: CPU seconds that the host kept from this machine meanwhile.
        repetitions: how often each variant ran.
        quick: whether it was a small dose, that shows that the benchmark works and measures nothing.
        machine: see `bench.machine.facts`.
        samples: one item a run.
        notes: what stood in the way of the asked dose (a limit of the machine), for the reader.
    """

    benchmark: str
    began_at: float
    took_s: float
    stolen_s: float
    repetitions: int
    quick: bool
    machine: dict[str, str]
    samples: list[Sample]
    notes: list[str] = field(default_factory=list[str])
    format: int = FORMAT

    def counted(self, **wanted: object) -> list[Sample]:
        """The samples that count and have these values."""
        return [
            sample
            for sample in self.samples
            if not sample.get("discarded") and all(sample.get(key) == value for key, value in wanted.items())
        ]

    def discarded(self) -> int:
        """How many runs do not count because the generator could not keep up."""
        return sum(bool(sample.get("discarded")) for sample in self.samples)

    def spread(self, figure: str, **wanted: object) -> Spread | None:
        """The spread of one figure over the samples that have it."""
        found = [sample[figure] for sample in self.counted(**wanted) if sample.get(figure) is not None]
        return Spread.of(found)

    def variants(self) -> list[str]:
        """The variants in the order they first ran."""
        return list(dict.fromkeys(sample["variant"] for sample in self.samples))

    def ratios(self, figure: str, variant: str, base: str, **wanted: object) -> list[float]:
        """`variant` over `base` in each repetition that has both: neighbours in time, so drift cancels."""

        def by_repetition(name: str) -> dict[int, float]:
            return {item["repetition"]: item[figure] for item in self.counted(variant=name, **wanted)}

        ours, theirs = by_repetition(variant), by_repetition(base)
        return [ours[key] / theirs[key] for key in sorted(ours.keys() & theirs.keys()) if theirs[key]]


def place(name: str, folder: Path = FOLDER) -> Path:
    """Where a benchmark's raw figures lie."""
    return folder / f"{name}.json"


def write(raw: Raw, folder: Path = FOLDER) -> Path:
    """Keep the figures; earlier ones of the same benchmark move to `earlier/`. Where they lie now."""
    folder.mkdir(parents=True, exist_ok=True)
    file = place(raw.benchmark, folder)
    if file.exists():
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(file.stat().st_mtime))
        earlier = folder / "earlier" / f"{raw.benchmark}-{stamp}.json"
        earlier.parent.mkdir(exist_ok=True)
        file.replace(earlier)
    draft = file.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(raw), indent=1) + "\n")
    draft.replace(file)
    return file


def read(name: str, folder: Path = FOLDER) -> Raw | None:
    """The figures of a benchmark; None when it has not been measured.

    Raises:
        TidegateError: the file is not one this version wrote.
    """
    file = place(name, folder)
    try:
        held: dict[str, Any] = json.loads(file.read_text())
        raw = Raw(**held)
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
        raise TidegateError(
            "the raw figures cannot be read",
            where=str(file),
            cure=f"measure again: python -m bench {name} --again",
        ) from None
    if raw.format != FORMAT:
        raise TidegateError(
            f"the raw figures have format {raw.format}, this version reads {FORMAT}",
            where=str(file),
            cure=f"measure again: python -m bench {name} --again",
        )
    return raw


def read_all(names: Iterable[str], folder: Path = FOLDER) -> dict[str, Raw]:
    """The figures of those benchmarks that have been measured."""
    found = {name: read(name, folder) for name in names}
    return {name: raw for name, raw in found.items() if raw is not None}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines)


def cell(spread: Spread | None, digits: int | None = None) -> str:
    """A spread in a table; a dash where nothing counted."""
    return "-" if spread is None else spread.text(digits)
