"""From the metrics' recommendation to the replicas that rules allow: two different sets of rules.

Without `behavior` (horizontal.go:1058-1075, 1320-1358) a step may double the replicas, or reach 4. With it
(horizontal.go:1093-1119, 1266-1317) the policies count what changed in their periods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tidegate.simulate.hpa.arithmetic import float_to_int32
from tidegate.simulate.hpa.memory import Condition, Memory
from tidegate.simulate.hpa.rates import RateLimit, down_limit, up_limit
from tidegate.simulate.hpa.spec import NANOS, Behavior, Controller, Spec
from tidegate.simulate.hpa.stabilize import Recommendations, Stabilized, highest_recent, within_recent

LimitReason = Literal[
    "DesiredWithinRange", "ScaleUpLimit", "ScaleDownLimit", "TooManyReplicas", "TooFewReplicas"
]


@dataclass(frozen=True, slots=True)
class Normalized:
    """The replicas allowed, and everything that had a say."""

    replicas: int
    stabilized: Stabilized
    reason: LimitReason
    """Reason of the ScalingLimited condition."""
    bound: int | None
    """The bound that applied in the direction of the change; None where nothing had to be bounded."""
    rate: RateLimit | None
    """With `behavior`: what the policies of the direction allow."""
    able: Condition
    limited: Condition


def normalize(
    spec: Spec,
    current: int,
    raw: int,
    memory: Memory,
    recent: Recommendations,
    controller: Controller,
    now_ns: int,
) -> tuple[Normalized, Recommendations]:
    """Return what the rules make of `raw`, and the recent recommendations with `raw` among them."""
    if spec.behavior is None:
        stabilized, recent = highest_recent(recent, raw, controller.downscale_stabilization_ns, now_ns)
        able_reason = "ScaleDownStabilized"
        rate = None
        replicas, reason, bound = bounded_step(current, stabilized.replicas, spec, controller)
    else:
        up_s, down_s = windows_s(spec.behavior, controller)
        stabilized, recent = within_recent(recent, current, raw, up_s, down_s, now_ns)
        able_reason = "ScaleUpStabilized" if raw >= current else "ScaleDownStabilized"
        replicas, reason, bound, rate = bounded_by_rates(
            current, stabilized.replicas, spec, spec.behavior, memory, now_ns
        )
    able = Condition("True", able_reason if stabilized.changed else "ReadyForNewScale")
    limited = Condition("False" if replicas == stabilized.replicas else "True", reason)
    return Normalized(replicas, stabilized, reason, bound, rate, able, limited), recent


def windows_s(behavior: Behavior, controller: Controller) -> tuple[int, int]:
    """Return the stabilization windows up and down, by default the controller's (horizontal.go:1121)."""
    own_s = controller.downscale_stabilization_ns // NANOS
    down_s = behavior.down.window_s
    return behavior.up.window_s or 0, own_s if down_s is None else down_s


def bounded_step(
    current: int, desired: int, spec: Spec, controller: Controller
) -> tuple[int, LimitReason, int | None]:
    """Return `desired` within minimum, maximum and one step's growth, with the reason and the bound."""
    growth = float_to_int32(max(controller.up_factor * current, controller.up_least))
    most = min(spec.max_replicas, growth)
    most_reason: LimitReason = "ScaleUpLimit" if spec.max_replicas > growth else "TooManyReplicas"
    if desired < spec.min_replicas:
        return spec.min_replicas, "TooFewReplicas", spec.min_replicas
    if desired > most:
        return most, most_reason, most
    return desired, "DesiredWithinRange", None


def bounded_by_rates(
    current: int, desired: int, spec: Spec, behavior: Behavior, memory: Memory, now_ns: int
) -> tuple[int, LimitReason, int | None, RateLimit | None]:
    """Return `desired` within bound and policies of its direction; limits never turn the direction."""
    if desired > current:
        rate = up_limit(current, memory, behavior.up, now_ns)
        limit = max(rate.limit, current)
        most = min(spec.max_replicas, limit)
        if desired > most:
            return most, "ScaleUpLimit" if spec.max_replicas > limit else "TooManyReplicas", most, rate
        return desired, "DesiredWithinRange", None, rate
    if desired < current:
        rate = down_limit(current, memory, behavior.down, now_ns)
        limit = min(rate.limit, current)
        least = max(spec.min_replicas, limit)
        if desired < least:
            return least, "ScaleDownLimit" if spec.min_replicas < limit else "TooFewReplicas", least, rate
        return desired, "DesiredWithinRange", None, rate
    return desired, "DesiredWithinRange", None, None
