"""What each of several generating processes has for itself."""

from __future__ import annotations

USERS_A_PROCESS = 1_000_000
"""Numbers of users that each process has for itself."""


def share(total: int, number: int, of: int) -> int:
    """Return the part of `total` that is `number`'s, so that all parts add up to it."""
    return total // of + (number % of < total % of)
