"""How far from its target a metric may be without anything happening (replica_calculator.go:46-58)."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.simulate.hpa.spec import Behavior, Controller


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Ratios, where 0.1 is ten percent."""

    down: float
    up: float

    def holds(self, ratio: float) -> bool:
        """Whether `ratio` of value to target is close enough to 1; both edges are."""
        return 1.0 - self.down <= ratio <= 1.0 + self.up


def tolerance_of(behavior: Behavior | None, controller: Controller) -> Tolerance:
    """Return the controller's tolerance, or the autoscaler's own if it may set one (horizontal.go:1514)."""
    down = up = controller.tolerance
    if behavior is not None and controller.release.configurable_tolerance:
        down = behavior.down.tolerance if behavior.down.tolerance is not None else down
        up = behavior.up.tolerance if behavior.up.tolerance is not None else up
    return Tolerance(down, up)
