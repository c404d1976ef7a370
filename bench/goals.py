"""Whether a figure meets what was asked of it."""

from __future__ import annotations

from bench.spread import figure


def verdict(goal: str, value: float | None, *, least: float | None = None, most: float | None = None) -> str:
    """A line that says so; a goal without a figure is not met.

    Args:
        goal: what was asked, in words.
        least, most: the bound; exactly one of them.
    """
    if value is None:
        return f"Goal: {goal}: **not met** (no figure)."
    met = value >= least if least is not None else most is not None and value <= most
    return f"Goal: {goal}: **{'met' if met else 'not met'}** ({figure(value)})."
