"""The words of an explanation."""

from __future__ import annotations

from collections.abc import Mapping

from tidegate.simulate.hpa.census import Census
from tidegate.simulate.hpa.normalize import LimitReason
from tidegate.simulate.hpa.pod_metrics import Because
from tidegate.simulate.hpa.rates import RateLimit

POD_REASONS: Mapping[Because, str] = {
    "ratio": "the ratio times the pods that count, rounded up",
    "tolerance": "close enough to the target",
    "filled in": "the ratio with every pod times all pods, rounded up",
    "filled in, tolerance": "with every pod it is close enough to the target",
    "would turn": "pods without a number would turn the direction: nothing changes",
    "would move against": "the number would move against the ratio: nothing changes",
}
BOUNDS: Mapping[LimitReason, str] = {
    "DesiredWithinRange": "within all limits",
    "ScaleUpLimit": "the fastest rise allowed",
    "ScaleDownLimit": "the fastest fall allowed",
    "TooManyReplicas": "maxReplicas",
    "TooFewReplicas": "minReplicas",
}


def amount(value: int, *, percent: bool) -> str:
    """Return a value as people write it: a percentage, or milli-units as a plain number."""
    return f"{value}" if percent else f"{value / 1000:.10g}"


def groups_of(census: Census) -> str:
    """Return how many pods are in which group."""
    counts = {
        "counted": census.ready,
        "unready": census.unready,
        "without a number": census.missing,
        "ignored": census.ignored,
    }
    return "pods: " + ", ".join(
        f"{count} {name}" for name, count in counts.items() if count or name == "counted"
    )


def rate_words(rate: RateLimit | None, current: int) -> list[str]:
    """Return what each policy allows."""
    if rate is None:
        return []
    if not rate.allowances:
        return [f"this direction is disabled: {current} stays"]
    return [
        f"{one.policy.value} {'%' if one.policy.type == 'Percent' else 'pods'} in {one.policy.period_s} s, "
        f"from {one.at_start} when it began: {one.limit}"
        for one in rate.allowances
    ]
