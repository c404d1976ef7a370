"""An observer with a flaw: its clock is off, or its watch loses pods.

`python -m bench.mutations.recorder FLAW -- ...` is a process of its own, as the sound one is; only what it
stamps, or lets through, differs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from tidegate.observe import observer
from tidegate.observe.__main__ import main as observe
from tidegate.observe.drive import Observer
from tidegate.observe.watch import Watcher
from tidegate.run.objects import moment_s

_MODULE = ["-m", "tidegate.observe"]


class FlawedObserver(Observer):
    """Starts an observer with a flaw.

    Args:
        kubeconfig, run_dir: as the sound observer's.
        flaw: words for this module: `blind`, or `shifted SECONDS`.
    """

    def __init__(self, kubeconfig: Path, run_dir: Path, *flaw: str) -> None:
        super().__init__(kubeconfig, run_dir)
        at = self._command.index("-m")
        if self._command[at : at + 2] != _MODULE:
            raise RuntimeError(f"the observer is started otherwise: {self._command}")
        self._command[at : at + 2] = ["-m", "bench.mutations.recorder", *flaw, "--"]


def shifted_observer(seconds: float) -> Callable[[Path, Path], Observer]:
    """Return the maker of an observer whose clock is ahead by `seconds`."""
    return lambda kubeconfig, run_dir: FlawedObserver(kubeconfig, run_dir, "shifted", f"{seconds:g}")


def blind_observer(kubeconfig: Path, run_dir: Path) -> Observer:
    """Make an observer to whom no pod is told that was born after it began."""
    return FlawedObserver(kubeconfig, run_dir, "blind")


@contextmanager
def _shifted(seconds: float) -> Generator[None]:
    wall = time.time

    def shifted() -> float:
        return wall() + seconds

    with mock.patch("time.time", shifted):
        yield


@contextmanager
def _blind() -> Generator[None]:
    began_s = time.time()

    class BlindWatcher(Watcher):
        """Loses pods that were born since."""

        def _record(self, kind_of_change: Any, whole: dict[str, Any], received_s: float) -> None:
            born_s = moment_s(whole, "metadata", "creationTimestamp") or 0.0
            if self._resource.kind != "Pod" or born_s < began_s:
                super()._record(kind_of_change, whole, received_s)

    with mock.patch.object(observer, "Watcher", BlindWatcher):
        yield


def main(words: Sequence[str]) -> int:
    """Observe with the flaw that the words before `--` name."""
    flaw, given = list(words[: words.index("--")]), words[words.index("--") + 1 :]
    match flaw:
        case ["shifted", seconds]:
            with _shifted(float(seconds)):
                return observe(given)
        case ["blind"]:
            with _blind():
                return observe(given)
        case _:
            raise ValueError(f"there is no flaw {' '.join(flaw)!r}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
