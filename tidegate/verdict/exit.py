"""The process's exit status that belongs to an outcome."""

from __future__ import annotations

from tidegate.models import Outcome

_CODES = {Outcome.HELD: 0, Outcome.NOT_HELD: 1, Outcome.COULD_NOT_TELL: 2}


def exit_code(outcome: Outcome) -> int:
    """Return 0 for held, 1 for not held, 2 for could not tell; 3 is kept for errors."""
    return _CODES[outcome]
