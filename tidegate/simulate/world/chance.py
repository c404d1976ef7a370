"""Chance that is the same on every machine."""

from __future__ import annotations

from random import Random


def chance(seed: int, purpose: str) -> Random:
    """Return the source of chance for one purpose: a change in one place then moves nothing elsewhere."""
    return Random(f"{seed} {purpose}")  # noqa: S311 - a model, not a secret
