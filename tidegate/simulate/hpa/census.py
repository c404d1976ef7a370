"""The pods of one sync as the sums that a decision needs.

The controller walks over all pods for each metric; what it computes depends only on these sums. A simulator
that knows its pods as arrays fills a census without walking, and decides with the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tidegate.simulate.hpa.arithmetic import divide_whole, wrap_int64
from tidegate.simulate.hpa.groups import Groups
from tidegate.simulate.hpa.samples import InvalidMetricError, Sample


@dataclass(frozen=True, slots=True)
class Census:
    """Counts and milli-sums of one metric."""

    ready: int
    unready: int
    missing: int
    ignored: int
    measured: int
    """Numbers that count at first: those of all pods but the unready and ignored."""
    total: int
    """Sum of those numbers."""
    requested: int | None = None
    """Requests of the measured pods; None where the target is no percentage."""
    requested_by_missing: tuple[int, ...] = ()
    """Requests of the pods without a number, one each: a percentage of each is cut to whole milli-units."""
    requested_by_unready: int = 0

    def missing_at(self, percent: int) -> int:
        """Return what the pods without a number use if each uses `percent` of its request."""
        return sum(divide_whole(wrap_int64(request * percent), 100) for request in self.requested_by_missing)


def take_census(groups: Groups, samples: Mapping[str, Sample], requests: Mapping[str, int] | None) -> Census:
    """Return the sums over `groups`; `requests` is None for a target that is no percentage.

    Samples of pods that are not known count for an average (utilization.go:57) and not for a percentage
    (utilization.go:33).

    Raises:
        InvalidMetricError: no number is left, or the measured pods request nothing.
    """
    left_out = {*groups.unready, *groups.ignored}
    values = {pod: sample.value for pod, sample in samples.items() if pod not in left_out}
    if not values:
        raise InvalidMetricError("did not receive metrics for targeted pods (pods might be unready)")
    if requests is None:
        return Census(
            ready=len(groups.ready),
            unready=len(groups.unready),
            missing=len(groups.missing),
            ignored=len(groups.ignored),
            measured=len(values),
            total=_sum(values.values()),
        )
    return Census(
        ready=len(groups.ready),
        unready=len(groups.unready),
        missing=len(groups.missing),
        ignored=len(groups.ignored),
        measured=len(values),
        total=_sum(value for pod, value in values.items() if pod in requests),
        requested=_sum(requests[pod] for pod in values if pod in requests),
        requested_by_missing=tuple(requests[pod] for pod in groups.missing),
        requested_by_unready=_sum(requests[pod] for pod in groups.unready),
    )


def _sum(values: Iterable[int]) -> int:
    return wrap_int64(sum(values))
