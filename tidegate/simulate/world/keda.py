"""KEDA's own part of the scaling: to zero and from zero. Between one and the most, the autoscaler decides.

Rules of github.com/kedacore/keda v2.21.0, pkg/scaling/executor/scale_scaledobjects.go (RequestScale,
scaleToZeroOrIdle, scaleFromZeroOrIdle); defaults of scale_executor.go: 300 s cooldown. Left out: idle
replicas, fallback, pausing, triggers that fail.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.simulate.world.parameters import Keda


@dataclass(frozen=True, slots=True)
class Polled:
    """What a poll comes to: the replicas that KEDA writes, None for nothing, and its memory after it."""

    replicas: int | None
    last_active_s: float | None


def poll(keda: Keda, value: float | None, replicas: int, now_s: float, last_active_s: float | None) -> Polled:
    """Return what one poll of the trigger comes to.

    Args:
        keda: the ScaledObject.
        value: the trigger's value; None: there is none, which is not above any threshold.
        replicas: there are, by `spec.replicas`.
        now_s: seconds.
        last_active_s: when the trigger was last active; None: not yet. The cooldown is then ignored.
    """
    if value is not None and value > keda.activation_rps:
        return Polled(max(1, keda.min_replicas) if replicas == 0 else None, now_s)
    if replicas > 0 and keda.min_replicas == 0:
        if last_active_s is None or last_active_s + keda.cooldown_s < now_s:
            return Polled(0, last_active_s)
    elif replicas < keda.min_replicas:
        return Polled(keda.min_replicas, last_active_s)
    return Polled(None, last_active_s)
