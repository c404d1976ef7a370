"""Replicas from a metric that each pod has (replica_calculator.go:80-265, metrics/utilization.go:26-66)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tidegate.simulate.hpa.arithmetic import ceil_to_int32, divide, divide_whole, wrap_int32, wrap_int64
from tidegate.simulate.hpa.census import Census
from tidegate.simulate.hpa.samples import InvalidMetricError
from tidegate.simulate.hpa.tolerance import Tolerance

Because = Literal[
    "ratio", "tolerance", "filled in", "filled in, tolerance", "would turn", "would move against"
]
"""What settled the number: the ratio itself; the ratio within tolerance; the ratio after pods without a
number were filled in, and that within tolerance; the fill-ins would have turned the direction; or the
number they give lies on the wrong side of the current one."""


@dataclass(frozen=True, slots=True)
class PodsProposal:
    """Replicas that one metric asks for."""

    replicas: int
    value: int
    """Percent of the requests for a utilization target, else milli-units a pod."""
    target: int
    ratio: float
    """Value over target, of the measured pods alone."""
    census: Census
    because: Because
    filled_ratio: float | None = None
    """The ratio again with a number for every pod, where that was done."""


def utilization_proposal(
    current: int, target_percent: int, census: Census, tolerance: Tolerance
) -> PodsProposal:
    """Return the replicas at which the pods use `target_percent` of what they request.

    Percentages are whole: 66.9 % counts as 66 (utilization.go:48). Missing pods count as using all they
    request, or the target where it is above 100 %, against scaling down, and nothing against scaling up.

    Raises:
        InvalidMetricError: the measured pods request nothing.
    """
    most = max(100, target_percent)
    requested = census.requested or 0

    def refilled(missing_use: bool, with_missing: bool, with_unready: bool) -> float:
        total = census.total + (census.missing_at(most) if missing_use else 0)
        base = requested
        base += sum(census.requested_by_missing) if with_missing else 0
        base += census.requested_by_unready if with_unready else 0
        return divide(whole_percent(wrap_int64(total), wrap_int64(base)), target_percent)

    value = whole_percent(census.total, requested)
    return _propose(current, value, target_percent, census, tolerance, refilled)


def whole_percent(total: int, requested: int) -> int:
    """Return how many percent of `requested` milli-units `total` is, cut to a whole one (utilization.go:48).

    Raises:
        InvalidMetricError: nothing is requested.
    """
    if requested == 0:
        raise InvalidMetricError("no metrics returned matched known pods")
    return wrap_int32(divide_whole(wrap_int64(total * 100), requested))


def average_proposal(current: int, target_milli: int, census: Census, tolerance: Tolerance) -> PodsProposal:
    """Return the replicas at which the pods' mean is `target_milli`.

    The mean is cut to whole milli-units (utilization.go:63). Missing pods count as exactly at the target
    against scaling down, and as 0 against scaling up.
    """

    def refilled(missing_use: bool, with_missing: bool, with_unready: bool) -> float:
        total = census.total + (census.missing * target_milli if missing_use else 0)
        count = census.measured
        count += census.missing if with_missing else 0
        count += census.unready if with_unready else 0
        return divide(divide_whole(wrap_int64(total), count), target_milli)

    value = divide_whole(census.total, census.measured)
    return _propose(current, value, target_milli, census, tolerance, refilled)


def _propose(
    current: int,
    value: int,
    target: int,
    census: Census,
    tolerance: Tolerance,
    refilled: Callable[[bool, bool, bool], float],
) -> PodsProposal:
    """Return the proposal.

    Args:
        current: replicas now.
        value: the measured pods' value.
        target: what it is compared with.
        census: the pods.
        tolerance: what is close enough.
        refilled: gives the ratio anew, by whether missing pods use something, and whether missing and
            unready pods are counted.
    """
    ratio = divide(value, target)

    def proposal(replicas: int, because: Because, filled_ratio: float | None = None) -> PodsProposal:
        return PodsProposal(replicas, value, target, ratio, census, because, filled_ratio)

    with_unready = census.unready > 0 and ratio > 1.0
    if not with_unready and not census.missing:
        if tolerance.holds(ratio):
            return proposal(current, "tolerance")
        return proposal(ceil_to_int32(ratio * census.ready), "ratio")
    with_missing = census.missing > 0 and ratio != 1.0
    filled = refilled(with_missing and ratio < 1.0, with_missing, with_unready)
    if tolerance.holds(filled):
        return proposal(current, "filled in, tolerance", filled)
    if (ratio < 1.0 < filled) or (ratio > 1.0 > filled):
        return proposal(current, "would turn", filled)
    counted = (
        census.measured + (census.missing if with_missing else 0) + (census.unready if with_unready else 0)
    )
    replicas = ceil_to_int32(filled * counted)
    if (filled < 1.0 and replicas > current) or (filled > 1.0 and replicas < current):
        return proposal(current, "would move against", filled)
    return proposal(replicas, "filled in", filled)
