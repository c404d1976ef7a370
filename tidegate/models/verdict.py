"""The answer to one run. `tidegate.verdict` gives it; readers of a run need only this model."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from tidegate.models.base import Model


class Outcome(StrEnum):
    """Held, not held, or honestly unknown."""

    HELD = "held"
    NOT_HELD = "not_held"
    COULD_NOT_TELL = "could_not_tell"


class Check(Model):
    """One thing that was judged."""

    name: str = Field(description='What was judged, for example "availability" or "latency reads p99".')
    outcome: Outcome = Field(description="The answer for this check alone.")
    measured: float | None = Field(description="What was measured, in `unit`; null when nothing was.")
    threshold: float | None = Field(description="What it was held against, in `unit`.")
    unit: str = Field(description="Unit of measured, threshold and spread.")
    detail: str = Field(description="One plain sentence.")
    spread: tuple[float, float] | None = Field(
        default=None,
        description="95 % confidence interval of `measured`, in `unit`; null where none is known.",
    )
    count: int | None = Field(default=None, description="How many observations `measured` rests on.")


class Verdict(Model):
    """The answer and why."""

    outcome: Outcome = Field(description="The answer for the run.")
    checks: tuple[Check, ...] = Field(description="Every check, in a fixed order.")
    reasons: tuple[str, ...] = Field(description="Plain sentences that explain the outcome.")
