"""What the controller remembers from one sync to the next, and the conditions it left on the object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Recommendation:
    """Replicas that the metrics asked for at one sync, before any rule."""

    replicas: int
    t_ns: int


@dataclass(frozen=True, slots=True)
class ScaleEvent:
    """One change that was made."""

    change: int
    """Replicas added or removed, as a positive number."""
    t_ns: int
    outdated: bool = False
    """No policy looks back as far any more: its place is used again (horizontal.go:1361)."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Status and reason, for example `True` and `ReadyForNewScale`."""

    status: str
    reason: str

    def __str__(self) -> str:
        return f"{self.status}/{self.reason}"


@dataclass(frozen=True, slots=True)
class Memory:
    """State between syncs. A controller that restarts forgets all but the conditions."""

    recommendations: tuple[Recommendation, ...] | None = None
    """None before the first sync, which seeds it with the replicas there are (horizontal.go:751)."""
    up_events: tuple[ScaleEvent, ...] = ()
    down_events: tuple[ScaleEvent, ...] = ()
    conditions: Mapping[str, Condition] = field(default_factory=dict[str, Condition])

    def restarted(self) -> Memory:
        """Return what is left after the controller's restart: the conditions, which the object holds."""
        return Memory(conditions=self.conditions)
