"""Replicas from a number that belongs to no pod (replica_calculator.go:267-420)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tidegate.simulate.hpa.arithmetic import (
    MAX_INT32,
    MAX_INT64,
    ceil_to_int32,
    divide,
    wrap_int64,
)
from tidegate.simulate.hpa.pods import Pod, Ready
from tidegate.simulate.hpa.samples import InvalidMetricError
from tidegate.simulate.hpa.tolerance import Tolerance


@dataclass(frozen=True, slots=True)
class OutsideProposal:
    """Replicas that one Object or External metric asks for."""

    replicas: int
    value: int
    """Milli-units, of all series together."""
    target: int
    """Milli-units; for an average, those of one replica."""
    ratio: float
    because: Literal["ratio", "tolerance", "from zero"]
    counted: int
    """What the ratio is multiplied by: Ready pods for a value, the status's replicas for an average."""


def value_proposal(
    current: int, value: int, target: int, pods: Iterable[Pod], tolerance: Tolerance, *, bounded: bool
) -> OutsideProposal:
    """Return the replicas at which one number shared by all comes to `target`.

    At zero replicas there is no tolerance and no pod to count: the ratio itself is the number of replicas.

    Args:
        bounded: replicas beyond int32 are the largest int32 instead of what the conversion gives.

    Raises:
        InvalidMetricError: there is no pod although there should be.
    """
    ratio = divide(value, target)
    if current == 0:
        return OutsideProposal(ceil_to_int32(ratio), value, target, ratio, "from zero", 1)
    if tolerance.holds(ratio):
        return OutsideProposal(current, value, target, ratio, "tolerance", current)
    ready = _ready_pods(pods)
    product = ratio * ready
    replicas = MAX_INT32 if bounded and product > MAX_INT32 else ceil_to_int32(product)
    return OutsideProposal(replicas, value, target, ratio, "ratio", ready)


def average_of_total_proposal(
    status_replicas: int, value: int, target: int, tolerance: Tolerance, *, bounded: bool
) -> OutsideProposal:
    """Return the replicas at which one number divided by all comes to `target`; readiness does not count.

    Args:
        status_replicas: pods there are, from the Scale's status.
        value: the number, milli-units.
        target: the share of one replica, milli-units.
        tolerance: what is close enough.
        bounded: replicas beyond int32 are the largest int32 instead of what the conversion gives.
    """
    ratio = divide(value, float(target) * float(status_replicas))
    if tolerance.holds(ratio):
        return OutsideProposal(status_replicas, value, target, ratio, "tolerance", status_replicas)
    share = divide(value, target)
    replicas = MAX_INT32 if bounded and share > MAX_INT32 else ceil_to_int32(share)
    return OutsideProposal(replicas, value, target, ratio, "ratio", status_replicas)


def sum_for_value(series: Iterable[int], *, bounded: bool) -> int:
    """Return the sum of all series, at most the largest int64 (replica_calculator.go:365-372)."""
    total = 0
    for value in series:
        if bounded and value > 0 and total > MAX_INT64 - value:
            return MAX_INT64
        total = wrap_int64(total + value)
    return total


def sum_for_average(series: Iterable[int], *, bounded: bool) -> int:
    """Return the sum of all series; one that is ever negative counts as an overflow (:394-401)."""
    total = 0
    for value in series:
        total = wrap_int64(total + value)
        if bounded and total < 0:
            return MAX_INT64
    return total


def _ready_pods(pods: Iterable[Pod]) -> int:
    """Return how many pods are Running and Ready (:328-350); deleting ones are among them."""
    seen, ready = False, 0
    for pod in pods:
        seen = True
        ready += pod.phase == "Running" and pod.ready is Ready.TRUE
    if not seen:
        raise InvalidMetricError(
            "unable to calculate ready pods: no pods returned by selector while calculating replica count"
        )
    return ready
