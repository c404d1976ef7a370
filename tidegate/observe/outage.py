"""Notes about spells without sight: one when it begins, one with its length when it ends."""

from __future__ import annotations

import time

from tidegate.run import RunWriter


class Outage:
    """Keeps the account of one source's spells without sight.

    Args:
        source: what is watched, for the notes.
        notes: where they go.
    """

    def __init__(self, source: str, notes: RunWriter) -> None:
        self._source = source
        self._notes = notes
        self._seen_s = time.monotonic()
        self._since_s: float | None = None
        self.why = ""
        """How the last spell began."""

    def seen(self, how: str = "sees again", at_s: float | None = None) -> None:
        """End the spell if there is one: the source has spoken, now or at `at_s` (monotonic)."""
        now_s = time.monotonic() if at_s is None else at_s
        if self._since_s is not None:
            self._notes.note("warning", f"{self._source}: {how}", gap_s=now_s - self._since_s)
            self._since_s = None
        self._seen_s = max(self._seen_s, now_s)

    def broke(self, why: str, *, at_once: bool = False) -> None:
        """The source has failed; a spell begins, unless it lasts already.

        Args:
            why: what was seen of the failure.
            at_once: the failure was seen as it happened; otherwise the spell counts from the last sight.
        """
        self.why = why
        if self._since_s is None:
            self._since_s = time.monotonic() if at_once else self._seen_s
            self._notes.note("warning", f"{self._source}: {why}")

    def close(self) -> None:
        """Say so if a spell lasts to the end."""
        if self._since_s is not None:
            gap_s = time.monotonic() - self._since_s
            self._notes.note("warning", f"{self._source}: saw nothing to the end", gap_s=gap_s)
