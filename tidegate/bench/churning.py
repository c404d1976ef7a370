"""Operations beside a load, one after another, each written down: a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tidegate.bench.operations import Kind, Operations, Times
from tidegate.errors import TidegateError
from tidegate.load.progress import RequestTail
from tidegate.run import JsonlWriter

OPERATIONS_FILE = "operations.jsonl"
"""In the Run's folder: two lines an operation, when it was asked for and when it was through."""
_POLL_S = 1.0
_TOLD_EVERY_S = 15.0
_FIRST_REQUEST_S = 120.0
BROKEN_OFF = "broken off"


@dataclass
class Round:
    """Which operation is next, over all Runs: one that ends after a scale-out goes on with the scale-in.

    Args:
        times: how long operations take; what was seen replaces what was expected.
    """

    times: Times
    kinds: tuple[Kind, ...] = tuple(Kind)
    done: int = 0
    seen_s: dict[Kind, float] = field(default_factory=dict[Kind, float])

    @property
    def kind(self) -> Kind:
        """The next one."""
        return self.kinds[self.done % len(self.kinds)]

    @property
    def needs_s(self) -> float:
        """Seconds the next one may be expected to take."""
        return self.seen_s.get(self.kind, self.times.expected[self.kind])

    def through(self, took_s: float) -> None:
        """Go on to the one after it."""
        self.seen_s[self.kind] = took_s
        self.done += 1


class Churning:
    """Does operations while the `with` block loads the service.

    Nothing is begun that would outlast the load. Leaving the block waits for the operation under way; leaving
    it by an error or Ctrl-C does not.

    Args:
        folder: the Run's.
        operations: what is done.
        round_: which is next; it goes on with it in the next Run.
        load_s: seconds the load lasts from its first request.
        say: told of each step.
    """

    def __init__(
        self, folder: Path, operations: Operations, round_: Round, load_s: float, say: Callable[[str], None]
    ) -> None:
        self._folder, self._operations, self._round = folder, operations, round_
        self._load_s, self._say = load_s, say
        self._over, self._abort = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._guarded, name="churn")
        self.problem = ""
        """Why it ended before the load did; empty when it did not."""
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._abort.set()
        self._over.set()
        try:
            self._thread.join()
        except KeyboardInterrupt:
            self._abort.set()
            self._thread.join()
            raise
        if self.error is not None and kind is None:
            raise self.error

    def _guarded(self) -> None:
        try:
            self._all()
        except BaseException as error:  # noqa: BLE001 - raised in the thread that can end the program
            self.error = error

    def _all(self) -> None:
        if not self._loaded():
            return
        ends_s = time.monotonic() + self._load_s
        with JsonlWriter(self._folder / OPERATIONS_FILE) as book:
            while not self._over.is_set() and not self.problem:
                if time.monotonic() + self._round.needs_s > ends_s:
                    self._over.wait()
                    return
                self._one(book)

    def _loaded(self) -> bool:
        """Wait until the first requests are on disk; return whether there will be any."""
        gives_up_s = time.monotonic() + _FIRST_REQUEST_S
        while not RequestTail.present(self._folder):
            if self._over.wait(_POLL_S):
                return False
            if time.monotonic() > gives_up_s:
                self.problem = f"no request was recorded within {_FIRST_REQUEST_S:.0f} s"
                return False
        return True

    def _one(self, book: JsonlWriter) -> None:
        """Do the next operation, and write down when."""
        kind, began_s = self._round.kind, time.monotonic()
        book.write({"t_s": time.time(), "operation": kind, "phase": "begin"})
        self._say(f"{words(kind)}: begun")
        try:
            self._through(kind, began_s)
        except TidegateError as error:
            self.problem = f"{words(kind)}: {error}"
            self._say(self.problem)
        took_s = time.monotonic() - began_s
        book.write({"t_s": time.time(), "operation": kind, "phase": "end", "problem": self.problem})
        if not self.problem:
            self._round.through(took_s)
            self._say(f"{words(kind)}: through after {took_s:.0f} s")

    def _through(self, kind: Kind, began_s: float) -> None:
        problem, limit_s = self._operations.begin(kind), self._round.times.limit[kind]
        told_s = began_s
        while True:
            try:
                said = problem()
            except TidegateError as error:  # the API server is asked again until the limit
                said = str(error)
            if not said:
                return
            now_s = time.monotonic()
            if now_s - began_s > limit_s:
                raise TidegateError(f"not through after {limit_s:.0f} s: {said}")
            if now_s - told_s > _TOLD_EVERY_S:
                told_s = now_s
                self._say(f"{words(kind)}, {now_s - began_s:.0f} s: {said}")
            if self._abort.wait(_POLL_S):
                raise TidegateError(BROKEN_OFF)


def words(kind: Kind) -> str:
    """Return the operation as it is told."""
    return kind.value.replace("_", "-" if kind is not Kind.UPDATE else " ")
