"""The answer to one experiment: three proofs, each held, not held or inconclusive."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from pydantic import Field

from tidegate.models.base import Model

TRIALS_FILE = "experiments.json"


class Finding(StrEnum):
    """What an experiment, or one of its proofs, came to."""

    HELD = "held"
    NOT_HELD = "not_held"
    INCONCLUSIVE = "inconclusive"


class SignSeen(Model):
    """One sign of the fault, as measured apart from the injector's word."""

    sign: str = Field(description="Which sign.")
    seen_s: float | None = Field(description="When it was first seen, unix seconds; null when it never was.")
    measured: float | None = Field(description="Its amount in its own unit; null where it has none.")
    at_least: float | None = Field(description="Least amount that was expected.")
    detail: str = Field(description="One plain sentence.")


class Proof(Model):
    """One of the three proofs."""

    name: Literal["landed", "steady", "autoscaler"] = Field(description="Which of the three.")
    finding: Finding = Field(description="What it came to.")
    reasons: tuple[str, ...] = Field(min_length=1, description="Plain sentences, the weightiest first.")


class Span(Model):
    """The service before, during or after the fault."""

    name: Literal["before", "during", "after"] = Field(description="Which of the three.")
    from_s: float = Field(description="Begin, unix seconds.")
    to_s: float = Field(description="End, unix seconds.")
    requests: int = Field(description="Requests meant to start in it.")
    failed: int = Field(description="How many of them failed.")
    p50_ms: float | None = Field(description="Median latency from intended start, milliseconds.")
    p95_ms: float | None = Field(description="95th percentile, milliseconds.")
    p99_ms: float | None = Field(description="99th percentile, milliseconds.")
    ready: tuple[int, int] | None = Field(
        description="Fewest and most Ready web pods; null when not recorded."
    )
    desired: tuple[int, int] | None = Field(description="Fewest and most replicas the autoscaler asked for.")

    @property
    def availability_percent(self) -> float | None:
        """Share of requests answered well, percent; None without requests."""
        return 100 * (self.requests - self.failed) / self.requests if self.requests else None


class Trial(Model):
    """One experiment as it went."""

    name: str = Field(description="The experiment.")
    statement: str = Field(description="What it claimed.")
    kind: str = Field(description="Kind of the object that made the fault.")
    asked_s: float = Field(description="When the fault was asked for, unix seconds.")
    lifted_s: float | None = Field(description="When it was lifted; null when that was never recorded.")
    finding: Finding = Field(description="What the experiment came to.")
    reasons: tuple[str, ...] = Field(min_length=1, description="Plain sentences.")
    proofs: tuple[Proof, Proof, Proof] = Field(description="Landed, steady state, autoscaler.")
    signs: tuple[SignSeen, ...] = Field(description="Every sign that was expected.")
    recovery_s: float | None = Field(
        description="Seconds from the end of the fault until all was as before; null when it never was."
    )
    spans: tuple[Span, Span, Span] = Field(description="Before, during, after.")
    hit: tuple[str, ...] = Field(description="Pods the injector names as chosen.")
    born: tuple[str, ...] = Field(description="Web pods born while the fault was there.")
    injector: tuple[str, ...] = Field(description="What the injector said, told apart from the evidence.")
