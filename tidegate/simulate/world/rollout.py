"""How a Deployment replaces its pods: so many above, so many unavailable, never more.

Rules of Kubernetes v1.36.3: pkg/controller/deployment/rolling.go (reconcileNewReplicaSet,
reconcileOldReplicaSets, cleanupUnhealthyReplicas) and util/deployment_util.go (ResolveFenceposts,
NewRSNewReplicas). Left out: a change of the replicas in the middle of a rollout is not shared among old and
new in proportion; the new ones follow it.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.simulate.world.parameters import Rollout


@dataclass(frozen=True, slots=True)
class Sets:
    """Replicas asked of the old pods' sets, together, and of the new one, and how many are available."""

    old: int
    new: int
    old_available: int
    new_available: int


def bounds(rollout: Rollout, replicas: int) -> tuple[int, int]:
    """Return pods above `replicas` and pods unavailable that are allowed: percent, rounded up and down."""
    surge = -(-replicas * rollout.max_surge_percent // 100)
    unavailable = replicas * rollout.max_unavailable_percent // 100
    return surge, unavailable if surge or unavailable else 1


def step(rollout: Rollout, replicas: int, sets: Sets) -> tuple[int, int]:
    """Return the replicas that are asked of old and new after one look of the controller.

    Args:
        rollout: its strategy.
        replicas: of the Deployment.
        sets: what there is.
    """
    surge, unavailable = bounds(rollout, replicas)
    old, new = sets.old, sets.new
    if new > replicas:
        return old, replicas
    grown = min(replicas + surge - old - new, replicas - new)
    if grown > 0:
        return old, new + grown
    least = replicas - unavailable
    spare = old + new - least - (new - sets.new_available)
    if not old or spare <= 0:
        return old, new
    old -= min(spare, max(0, old - sets.old_available))
    # What is available counts as before: those just taken were not.
    old -= max(0, min(old, sets.old_available + sets.new_available - least))
    return old, new
