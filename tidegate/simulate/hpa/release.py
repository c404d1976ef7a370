"""What the controller does differently from one Kubernetes version to the next.

Found by comparing pkg/controller/podautoscaler and pkg/features/kube_features.go of v1.33.6, v1.34.4,
v1.35.4, v1.36.3 and v1.37.1; what is not named here is the same in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tidegate.errors import TidegateError

LATEST_PROVEN = "1.36"
"""The version whose decisions are compared with the real controller's; the default everywhere."""


@dataclass(frozen=True, slots=True)
class Release:
    """The behaviour of one version with its feature gates at their defaults, or as asked."""

    version: str
    configurable_tolerance: bool
    """Tolerances of `behavior` count (gate HPAConfigurableTolerance: on since 1.35, fixed in 1.37)."""
    scale_to_zero: bool
    """Zero replicas are a state like others (gate HPAScaleToZero: on since 1.37)."""
    remembers_scaled_to_zero: bool
    """Since 1.36 only a target that the controller itself took to zero leaves zero; before, any target
    with `minReplicas: 0` did, whatever the gate (v1.35.4 horizontal.go:841)."""
    pod_level_requests: bool
    """Requests set on the pod as a whole count (gate PodLevelResources: on since 1.34)."""
    absent_container_fails: bool
    """Since 1.35 a pod without the named container fails the metric; before, it requested nothing."""
    bounded_value_proposals: bool
    """Since 1.35 Object and External values beyond int32 are the largest int32 instead of wrapping."""
    bounded_average_proposals: bool
    """The same for AverageValue, since 1.34."""
    first_sync_at_once: bool
    """Since 1.37 a new autoscaler is looked at immediately, before that after one sync period."""


def _release(minor: int) -> Release:
    return Release(
        version=f"1.{minor}",
        configurable_tolerance=minor >= 35,
        scale_to_zero=minor >= 37,
        remembers_scaled_to_zero=minor >= 36,
        pod_level_requests=minor >= 34,
        absent_container_fails=minor >= 35,
        bounded_value_proposals=minor >= 35,
        bounded_average_proposals=minor >= 34,
        first_sync_at_once=minor >= 37,
    )


RELEASES: Mapping[str, Release] = {f"1.{minor}": _release(minor) for minor in range(33, 38)}
_GATES = {
    "HPAConfigurableTolerance": "configurable_tolerance",
    "HPAScaleToZero": "scale_to_zero",
    "PodLevelResources": "pod_level_requests",
}


def release(version: str = LATEST_PROVEN, gates: Mapping[str, bool] | None = None) -> Release:
    """Return what `version`, for example `1.36` or `v1.36.3`, does, with feature gates set as in `gates`.

    Raises:
        TidegateError: the version is not one of 1.33 to 1.37, or a gate is unknown.
    """
    minor = ".".join(version.removeprefix("v").split(".")[:2])
    if minor not in RELEASES:
        raise TidegateError(
            f"the autoscaler of Kubernetes {version[:40]!r} is not known",
            cure=f"choose {', '.join(RELEASES)}",
        )
    chosen = RELEASES[minor]
    for gate, on in (gates or {}).items():
        if gate not in _GATES:
            raise TidegateError(
                f"feature gate {gate[:60]!r} does not change decisions", cure=f"choose {', '.join(_GATES)}"
            )
        chosen = replace(chosen, **{_GATES[gate]: on})
    return chosen
