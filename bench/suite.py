"""What a benchmark is, and all there are."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from bench import tools
from bench.load import Generators
from bench.machine import Cores
from bench.raw import Raw, Sample

REPETITIONS = 5

NAMES = ("stack", "knee", "servers", "queues", "connections", "offload", "start", "cache", "simulate")
"""Each is a module of this package, in the order of the page."""


@dataclass
class Context:
    """What a benchmark works with.

    Args:
        cores: who runs where.
        repetitions: how often each variant is to run.
        quick: small doses: to see that it works, not to measure.
        folder: for files; gone afterwards.
    """

    cores: Cores
    repetitions: int
    quick: bool
    folder: Path
    notes: list[str] = field(default_factory=list[str])

    @cached_property
    def generators(self) -> Generators:
        """Load generators, fetched or built at the first use."""
        return Generators(self.cores.generator, tools.wrk(), tools.vegeta(), self.folder)

    @property
    def server_core(self) -> Sequence[int]:
        """For what is measured."""
        return (self.cores.server,)

    @property
    def generator_core(self) -> Sequence[int]:
        """For everything around it."""
        return (self.cores.generator,)

    def dose(self, full: float, quick: float = 1.0) -> float:
        """The full dose, or the small one of a trial."""
        return quick if self.quick else full

    def note(self, text: str) -> None:
        """Tell the reader of the figures something they must know."""
        if text not in self.notes:
            self.notes.append(text)

    def say(self, text: str) -> None:
        """Show progress."""
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Benchmark(Protocol):
    """What each module of a benchmark has."""

    TITLE: str
    MINUTES: float
    """About how long the full dose takes."""

    def measure(self, context: Context) -> Iterator[Sample]:
        """Yield one sample a run."""
        ...

    def render(self, raw: Raw) -> str:
        """The benchmark's section of the page, without its title."""
        ...


def benchmark(name: str) -> Benchmark:
    """The benchmark of that name."""
    return cast("Benchmark", import_module(f"bench.{name}"))


@contextmanager
def temporary_folder() -> Generator[Path, None, None]:
    """A folder for a benchmark's files."""
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder:
        yield Path(folder)


def interleaved(
    context: Context, variants: Sequence[str], run: Callable[[str], Sample], what: str = ""
) -> Iterator[Sample]:
    """Run every variant once, then every variant again: A B A B, so that drift meets all alike."""
    for repetition in range(1, context.repetitions + 1):
        for variant in variants:
            sample = run(variant)
            if sample.get("discarded"):
                context.say(f"{what or 'run'} {repetition}/{context.repetitions} {variant}: DISCARDED")
            else:
                context.say(f"{what or 'run'} {repetition}/{context.repetitions} {variant}: {brief(sample)}")
            yield {"variant": variant, "repetition": repetition, **sample}


def brief(sample: Sample) -> str:
    """The figures of a sample in one line, for whoever waits."""
    shown = [f"{key} {value:.4g}" for key, value in sample.items() if isinstance(value, int | float)]
    return ", ".join(part for part in shown if not part.startswith(("discarded", "repetition")))[:110]
