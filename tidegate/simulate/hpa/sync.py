"""One sync of the autoscaler (horizontal.go:773-1027; before 1.36 see v1.35.4 horizontal.go:826-950)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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

_GOT_SCALE = Condition("True", "SucceededGetScale")
_RESCALED = Condition("True", "SucceededRescale")
_VALID = Condition("True", "ValidMetricFound")

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
    sync = _Sync(memory, current, now_ns, fault)
    tolerance = tolerance_of(spec.behavior, controller)
    if fault == "FailedGetScale":
        sync.conditions[ABLE] = Condition("False", fault)
        sync.why, sync.error = "fault", _FAULTS[fault]
        return sync.done(tolerance)
    if sync.recommendations is None:
        sync.recommendations = (Recommendation(current, now_ns),)
    sync.conditions[ABLE] = _GOT_SCALE
    outside = _outside_of_bounds(spec, controller, sync.conditions, current)
    if outside is not None:
        sync.desired, sync.why = outside
    elif fault in {"InvalidSelector", "AmbiguousSelector"}:
        sync.conditions[ACTIVE] = Condition("False", fault)
        sync.why, sync.error = "fault", f"failed to compute desired number of replicas: {_FAULTS[fault]}"
    else:
        sync.metrics = tuple([evaluator(metric, tolerance) for metric in spec.metrics])
        sync.follow_metrics(spec, controller)
    sync.write(spec, controller)
    return sync.done(tolerance)


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


@dataclass(slots=True)
class _Sync:
    """A sync on its way; it is frozen only at its end, because copies at each step cost half of the time."""

    memory: Memory
    current: int
    now_ns: int
    fault: Fault | None
    why: Why = "metrics"
    error: str = ""
    metrics: tuple[Valid | Invalid, ...] = ()
    recommended: int | None = None
    normalized: Normalized | None = None
    lifted: bool = False
    desired: int = field(init=False)
    conditions: dict[str, Condition] = field(init=False)
    recommendations: tuple[Recommendation, ...] | None = field(init=False)

    def __post_init__(self) -> None:
        self.desired = self.current
        self.conditions = dict(self.memory.conditions)
        self.recommendations = self.memory.recommendations

    def follow_metrics(self, spec: Spec, controller: Controller) -> None:
        """Take in what follows from the evaluated metrics (horizontal.go:884-936)."""
        current, conditions = self.current, self.conditions
        recommended, self.error = combine(self.metrics, current)
        if recommended is None:
            first = next(metric for metric in self.metrics if isinstance(metric, Invalid))
            conditions[ACTIVE] = Condition("False", first.reason)
            self.why = "no valid metric"
            self.error = f"failed to compute desired number of replicas based on listed metrics: {self.error}"
            return
        conditions[ACTIVE] = _VALID
        self.recommended = recommended
        normalized, self.recommendations = normalize(
            spec,
            current,
            max(recommended, 0),
            self.memory,
            self.recommendations or (),
            controller,
            self.now_ns,
        )
        self.normalized, self.desired = normalized, normalized.replicas
        conditions[ABLE], conditions[LIMITED] = normalized.able, normalized.limited
        if current == 0 and self.desired < spec.min_replicas and _scaled_to_zero(controller, conditions):
            self.desired, self.lifted = spec.min_replicas, True

    def write(self, spec: Spec, controller: Controller) -> None:
        """Take in what the write of the Scale leaves behind (horizontal.go:937-1006)."""
        conditions, release = self.conditions, controller.release
        if self.why == "disabled":
            conditions[ACTIVE] = Condition("False", "ScalingDisabled")
            if release.remembers_scaled_to_zero and not release.scale_to_zero:
                conditions.pop(AT_ZERO, None)
        elif self.desired == self.current:
            return
        elif self.fault == "FailedUpdateScale":
            conditions[ABLE] = Condition("False", self.fault)
            self.desired, self.why = self.current, "fault"
            self.error = f"failed to rescale: {_FAULTS[self.fault]}"
        else:
            conditions[ABLE] = _RESCALED
            if spec.behavior is not None:
                up, down = spec.behavior.up, spec.behavior.down
                self.memory = remember_change(self.memory, self.current, self.desired, up, down, self.now_ns)
            if release.remembers_scaled_to_zero and release.scale_to_zero:
                zero = self.desired == 0 and spec.min_replicas == 0 and spec.has_outside_metric
                conditions[AT_ZERO] = Condition(str(zero), "ScaledToZero" if zero else "NotScaledToZero")
            elif release.remembers_scaled_to_zero:
                conditions.pop(AT_ZERO, None)

    def done(self, tolerance: Tolerance) -> tuple[Decision, Memory]:
        """Return the decision and what is remembered."""
        decision = Decision(
            self.now_ns,
            self.current,
            self.desired,
            self.why,
            self.conditions,
            tolerance,
            self.error,
            self.metrics,
            self.recommended,
            self.normalized,
            self.lifted,
            self.fault,
        )
        memory = self.memory
        return decision, Memory(self.recommendations, memory.up_events, memory.down_events, self.conditions)


def _scaled_to_zero(controller: Controller, conditions: Mapping[str, Condition]) -> bool:
    """Whether the controller itself took the target to zero, and may take it back (horizontal.go:862)."""
    release = controller.release
    if not (release.scale_to_zero and release.remembers_scaled_to_zero):
        return False
    return AT_ZERO in conditions and conditions[AT_ZERO].status == "True"
