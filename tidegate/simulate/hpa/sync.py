"""One sync of the autoscaler (horizontal.go:773-1027; before 1.36 see v1.35.4 horizontal.go:826-950)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from tidegate.simulate.hpa.evaluate import Invalid, Valid, evaluate
from tidegate.simulate.hpa.memory import Condition, Memory, Recommendation
from tidegate.simulate.hpa.normalize import Normalized, normalize
from tidegate.simulate.hpa.pods import Fault, Observation
from tidegate.simulate.hpa.rates import remember_change
from tidegate.simulate.hpa.spec import Controller, Metric, Spec
from tidegate.simulate.hpa.tolerance import Tolerance, tolerance_of

Why = Literal["metrics", "no valid metric", "disabled", "above maximum", "below minimum", "fault"]
"""What settled the number: the metrics and the rules after them; nothing, because too few metrics were
valid; the target is at zero and stays there; or it is outside of the bounds, where neither metrics nor
rules count; or reading or writing the Scale failed."""

Evaluator = Callable[[Metric, Tolerance], Valid | Invalid]

_FAULTS: Mapping[Fault, str] = {
    "FailedGetScale": "failed to query scale subresource",
    "InvalidSelector": "the target's selector is missing or unreadable",
    "AmbiguousSelector": "the target's pods are selected by other autoscalers too",
    "FailedUpdateScale": "the scale subresource could not be written",
}

ABLE, ACTIVE, LIMITED, AT_ZERO = "AbleToScale", "ScalingActive", "ScalingLimited", "ScaledToZero"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one sync came to, with everything that went into it."""

    t_ns: int
    spec_replicas: int
    desired_replicas: int
    why: Why
    conditions: Mapping[str, Condition]
    tolerance: Tolerance
    error: str = ""
    """What the sync returned as its error; it may scale all the same. Empty without one."""
    metrics: tuple[Valid | Invalid, ...] = ()
    recommended: int | None = None
    """Replicas that the metrics ask for together."""
    normalized: Normalized | None = None
    lifted_to_minimum: bool = False
    """Started from zero, straight to the minimum (horizontal.go:930)."""
    fault: Fault | None = None


def decide(spec: Spec, controller: Controller, memory: Memory, seen: Observation) -> tuple[Decision, Memory]:
    """Return what the controller decides on what it sees, and what it then remembers.

    The write of the Scale succeeds unless `seen.fault` says otherwise. A pure function: the same arguments
    give the same result, and the order of the pods does not matter.
    """

    def evaluator(metric: Metric, tolerance: Tolerance) -> Valid | Invalid:
        return evaluate(metric, seen, tolerance, controller)

    return decide_with(spec, controller, memory, seen.spec_replicas, seen.t_ns, evaluator, seen.fault)


def decide_with(
    spec: Spec,
    controller: Controller,
    memory: Memory,
    current: int,
    now_ns: int,
    evaluator: Evaluator,
    fault: Fault | None = None,
) -> tuple[Decision, Memory]:
    """Return the same as `decide`, with another way to evaluate a metric.

    For those who know their pods as sums: see `census`.
    """
    if fault == "FailedGetScale":
        conditions = {**memory.conditions, ABLE: Condition("False", fault)}
        tolerance = tolerance_of(spec.behavior, controller)
        failed = Decision(
            now_ns, current, current, "fault", conditions, tolerance, _FAULTS[fault], fault=fault
        )
        return failed, replace(memory, conditions=conditions)
    if memory.recommendations is None:
        memory = replace(memory, recommendations=(Recommendation(current, now_ns),))
    conditions = {**memory.conditions, ABLE: Condition("True", "SucceededGetScale")}
    tolerance = tolerance_of(spec.behavior, controller)
    outside = _outside_of_bounds(spec, controller, conditions, current)
    asked = Decision(now_ns, current, current, "metrics", conditions, tolerance, fault=fault)
    if outside is not None:
        decision = replace(asked, desired_replicas=outside[0], why=outside[1])
    elif fault in {"InvalidSelector", "AmbiguousSelector"}:
        conditions[ACTIVE] = Condition("False", fault)
        error = f"failed to compute desired number of replicas: {_FAULTS[fault]}"
        decision = replace(asked, why="fault", conditions=conditions, error=error)
    else:
        metrics = tuple(evaluator(metric, tolerance) for metric in spec.metrics)
        decision, memory = _by_metrics(spec, controller, memory, replace(asked, metrics=metrics))
    return _finished(spec, controller, memory, decision)


def combine(metrics: tuple[Valid | Invalid, ...], current: int) -> tuple[int | None, str]:
    """Return the replicas that the metrics ask for together, None where they do not suffice, and the error.

    The highest number wins. A metric that fails does not stop a rise, but a fall (horizontal.go:313-361).
    """
    failed = [metric for metric in metrics if isinstance(metric, Invalid)]
    highest = 0
    for metric in metrics:
        if isinstance(metric, Valid) and (highest == 0 or metric.replicas > highest):
            highest = metric.replicas
    error = ""
    if failed:
        count = f"{len(failed)} invalid out of {len(metrics)}"
        error = f"invalid metrics ({count}), first error is: {failed[0].error}"
    if len(failed) >= len(metrics) or (failed and highest < current):
        return None, error
    return highest, error


def _outside_of_bounds(
    spec: Spec, controller: Controller, conditions: Mapping[str, Condition], current: int
) -> tuple[int, Why] | None:
    """Return the replicas where metrics are not asked (horizontal.go:856-882)."""
    if current == 0 and controller.release.remembers_scaled_to_zero:
        at_zero = _scaled_to_zero(controller, conditions)
        return None if at_zero and (spec.min_replicas != 0 or spec.has_outside_metric) else (0, "disabled")
    if current == 0 and spec.min_replicas != 0:
        return 0, "disabled"
    if current > spec.max_replicas:
        return spec.max_replicas, "above maximum"
    if current < spec.min_replicas:
        return spec.min_replicas, "below minimum"
    return None


def _by_metrics(
    spec: Spec, controller: Controller, memory: Memory, asked: Decision
) -> tuple[Decision, Memory]:
    """Return the decision that follows from the evaluated metrics (horizontal.go:884-936)."""
    current, conditions = asked.spec_replicas, dict(asked.conditions)
    recommended, error = combine(asked.metrics, current)
    if recommended is None:
        first = next(metric for metric in asked.metrics if isinstance(metric, Invalid))
        conditions[ACTIVE] = Condition("False", first.reason)
        error = f"failed to compute desired number of replicas based on listed metrics: {error}"
        return replace(asked, why="no valid metric", conditions=conditions, error=error), memory
    conditions[ACTIVE] = Condition("True", "ValidMetricFound")
    normalized, memory = normalize(spec, current, max(recommended, 0), memory, controller, asked.t_ns)
    conditions[ABLE], conditions[LIMITED] = normalized.able, normalized.limited
    desired, lifted = normalized.replicas, False
    if current == 0 and desired < spec.min_replicas and _scaled_to_zero(controller, conditions):
        desired, lifted = spec.min_replicas, True
    decision = replace(
        asked,
        desired_replicas=desired,
        conditions=conditions,
        error=error,
        recommended=recommended,
        normalized=normalized,
        lifted_to_minimum=lifted,
    )
    return decision, memory


def _finished(
    spec: Spec, controller: Controller, memory: Memory, decision: Decision
) -> tuple[Decision, Memory]:
    """Return the decision with the conditions and the memory of its write (horizontal.go:937-1006)."""
    current, desired = decision.spec_replicas, decision.desired_replicas
    conditions, release = dict(decision.conditions), controller.release
    if decision.why == "disabled":
        conditions[ACTIVE] = Condition("False", "ScalingDisabled")
        if release.remembers_scaled_to_zero and not release.scale_to_zero:
            conditions.pop(AT_ZERO, None)
    elif desired != current and decision.fault == "FailedUpdateScale":
        conditions[ABLE] = Condition("False", decision.fault)
        decision = replace(
            decision,
            desired_replicas=current,
            why="fault",
            error=f"failed to rescale: {_FAULTS[decision.fault]}",
        )
    elif desired != current:
        conditions[ABLE] = Condition("True", "SucceededRescale")
        if spec.behavior is not None:
            up, down = spec.behavior.up, spec.behavior.down
            memory = remember_change(memory, current, desired, up, down, decision.t_ns)
        if release.remembers_scaled_to_zero and release.scale_to_zero:
            zero = desired == 0 and spec.min_replicas == 0 and spec.has_outside_metric
            conditions[AT_ZERO] = Condition(str(zero), "ScaledToZero" if zero else "NotScaledToZero")
        elif release.remembers_scaled_to_zero:
            conditions.pop(AT_ZERO, None)
    return replace(decision, conditions=conditions), replace(memory, conditions=conditions)


def _scaled_to_zero(controller: Controller, conditions: Mapping[str, Condition]) -> bool:
    """Whether the controller itself took the target to zero, and may take it back (horizontal.go:862)."""
    release = controller.release
    if not (release.scale_to_zero and release.remembers_scaled_to_zero):
        return False
    return AT_ZERO in conditions and conditions[AT_ZERO].status == "True"
