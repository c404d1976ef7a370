"""Growing pauses between attempts."""

from __future__ import annotations

import random


class Backoff:
    """Pauses that double from `first_s` up to `longest_s`, each shortened by chance by up to half.

    Six watches that broke together would otherwise come back together, again and again.
    """

    def __init__(self, first_s: float = 0.2, longest_s: float = 5.0) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def next_s(self) -> float:
        """Return the seconds to pause now."""
        pause_s = self._next_s
        self._next_s = min(self._longest_s, pause_s * 2)
        return pause_s * random.uniform(0.5, 1)  # noqa: S311

    def reset(self) -> None:
        """Begin anew after a success."""
        self._next_s = self._first_s
