"""Proof three: the autoscaler answered as its policy says.

Each change of replicas is held against the rules of the HorizontalPodAutoscaler as its status reports them:
direction and tolerance, floor and ceiling, how fast, and no silence while the target is exceeded. Whether
every single decision is the controller's own is what `tidegate hpa` decides from a history; a Run has whole
percents.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from tidegate.models import HpaPolicy, ScaleRules
from tidegate.models.trial import Finding, Proof
from tidegate.run.hpa import HpaPoint, Rescale
from tidegate.verdict.experiments.facts import Fault, Record

SYNC_S = 15.0
SILENCE_S = 60.0
"""Seconds above target without an answer that are too long: four syncs of 15 s."""
_TOLERANCE = 0.1
_ROUNDING = 0.01
"""Half a percent of the status's whole percents, at a target of 50 % and more."""


def autoscaler(record: Record, fault: Fault, doubts: list[str]) -> Proof:
    """Judge what the autoscaler did from the fault until the load ended."""
    end_s = record.end_s()
    points = [point for point in record.hpa if fault.asked_s <= point.t_s <= end_s]
    changes = [change for change in record.rescales if fault.asked_s <= change.t_s <= end_s]
    if not points and not [point for point in record.hpa if point.t_s < fault.asked_s]:
        return Proof(
            name="autoscaler",
            finding=Finding.INCONCLUSIVE,
            reasons=("No state of the autoscaler was recorded.",),
        )
    policy = record.run.plan.policy.web.hpa
    against = [
        *_bounds(policy, record.hpa),
        *(said for change in changes for said in _rule(policy, change, record.rescales)),
        *_silent(policy, points),
    ]
    expected, unsure = _expected(policy, fault, points, changes)
    against += expected
    unsure = [*doubts, *unsure]
    if against and not doubts:
        return Proof(name="autoscaler", finding=Finding.NOT_HELD, reasons=(*against, *unsure))
    if unsure or against:
        return Proof(name="autoscaler", finding=Finding.INCONCLUSIVE, reasons=(*unsure, *against))
    steps = ", ".join(f"{change.from_replicas} to {change.to_replicas}" for change in changes)
    said = (
        f"{len(changes)} changes of replicas ({steps}), each within the policy." if changes else "No change."
    )
    return Proof(name="autoscaler", finding=Finding.HELD, reasons=(said,))


def _tolerance_up(policy: HpaPolicy) -> float:
    return _TOLERANCE if policy.tolerance_up is None else policy.tolerance_up


def _bounds(policy: HpaPolicy, points: list[HpaPoint]) -> Iterator[str]:
    for point in points:
        seen = (point.min_replicas, point.max_replicas)
        if None not in seen and seen != (policy.min_replicas, policy.max_replicas):
            yield f"The cluster's autoscaler has {seen[0]} to {seen[1]} replicas, the policy " + (
                f"{policy.min_replicas} to {policy.max_replicas}."
            )
            return


def _rule(policy: HpaPolicy, change: Rescale, all_changes: list[Rescale]) -> Iterator[str]:
    step = f"{change.from_replicas} to {change.to_replicas}"
    upwards = change.to_replicas > change.from_replicas
    up = _tolerance_up(policy)
    if change.cpu_percent is not None and change.from_replicas >= policy.min_replicas:
        ratio = change.cpu_percent / policy.cpu_target_percent
        if upwards and ratio < 1 + up - _ROUNDING and change.to_replicas > policy.min_replicas:
            aim = policy.cpu_target_percent
            yield f"It went from {step} at {change.cpu_percent} % of a target of {aim} %."
        # On the way down the recommendation of the past counts, so that only use above target is a fault.
        if not upwards and ratio > 1 + _ROUNDING and change.from_replicas <= policy.max_replicas:
            yield f"It went from {step} at {change.cpu_percent} %, above its target."
    if change.to_replicas > policy.max_replicas:
        yield f"It went from {step}, above its maximum of {policy.max_replicas}."
    rules = policy.scale_up if upwards else policy.scale_down
    most = _most(rules, change, all_changes)
    if most is not None and abs(change.to_replicas - change.from_replicas) > most:
        yield f"It went from {step} at once; the policy allows {most}."


def _most(rules: ScaleRules, change: Rescale, all_changes: list[Rescale]) -> int | None:
    """Return the largest change that the policies allow now; None where the direction is switched off."""
    upwards = change.to_replicas > change.from_replicas
    if rules.select_policy == "Disabled":
        return 0
    allowed: list[int] = []
    for rule in rules.policies:
        recent = [
            abs(other.to_replicas - other.from_replicas)
            for other in all_changes
            if 0 < change.t_s - other.t_s < rule.period_s - 1  # a second for the delivery of either
            and (other.to_replicas > other.from_replicas) == upwards
        ]
        begun = change.from_replicas - sum(recent) if upwards else change.from_replicas + sum(recent)
        whole = rule.value if rule.type == "Pods" else math.ceil(begun * rule.value / 100)
        allowed.append(max(0, whole - sum(recent)))
    return max(allowed) if rules.select_policy == "Max" else min(allowed)


def _silent(policy: HpaPolicy, points: list[HpaPoint]) -> Iterator[str]:
    """The target exceeded for long, room left, and no answer."""
    up = _tolerance_up(policy)
    since_s: float | None = None
    wanted = 0
    for point in points:
        over = point.cpu_percent is not None and point.cpu_percent > policy.cpu_target_percent * (
            1 + up + _ROUNDING
        )
        if not over or point.desired > wanted or point.desired >= policy.max_replicas:
            since_s, wanted = None, point.desired
        if over and point.desired < policy.max_replicas and since_s is None:
            since_s, wanted = point.t_s, point.desired
        window_s = policy.scale_up.stabilization_window_s
        if since_s is not None and point.t_s - since_s > SILENCE_S + window_s:
            yield (
                f"It stayed at {point.desired} replicas for {point.t_s - since_s:.0f} s above target "
                f"({point.cpu_percent} % of {policy.cpu_target_percent} %)."
            )
            return


def _expected(
    policy: HpaPolicy, fault: Fault, points: list[HpaPoint], changes: list[Rescale]
) -> tuple[list[str], list[str]]:
    """Return what speaks against the expected answer, and what leaves it open."""
    ups = [change for change in changes if change.to_replicas > change.from_replicas]
    if fault.claim.autoscaler == "holds" and changes:
        first = changes[0]
        return [f"It went from {first.from_replicas} to {first.to_replicas}; no change was claimed."], []
    if fault.claim.autoscaler != "scales_up" or ups:
        return [], []
    peak = max((point.cpu_percent for point in points if point.cpu_percent is not None), default=None)
    limit = policy.cpu_target_percent * (1 + _tolerance_up(policy))
    if peak is None:
        return [], ["The autoscaler reported no CPU use, so that nothing could be asked of it."]
    if peak <= limit:
        return [], [f"CPU reached {peak} % and {limit:.0f} % asks for more pods: nothing was asked of it."]
    if points[-1].desired >= policy.max_replicas:
        return [
            f"CPU reached {peak} % of a target of {policy.cpu_target_percent} %; it was at its maximum of "
            f"{policy.max_replicas} replicas and could not answer."
        ], []
    return [f"CPU reached {peak} % of a target of {policy.cpu_target_percent} % and no pod was added."], []
