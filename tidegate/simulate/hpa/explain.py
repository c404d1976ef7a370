"""Why a decision came out as it did, as a tree from the number down to the pods."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tidegate.simulate.hpa.evaluate import Invalid, Valid, kind_of, name_of
from tidegate.simulate.hpa.normalize import Normalized
from tidegate.simulate.hpa.outside_metrics import OutsideProposal
from tidegate.simulate.hpa.pod_metrics import PodsProposal
from tidegate.simulate.hpa.spec import NANOS, ResourceMetric
from tidegate.simulate.hpa.sync import Decision
from tidegate.simulate.hpa.words import BOUNDS, POD_REASONS, amount, groups_of, rate_words


@dataclass(frozen=True, slots=True)
class Reason:
    """One statement, and what it rests on."""

    text: str
    parts: tuple[Reason, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yield the tree as text, one statement a line."""
        yield self.text
        yield from _branches(self.parts, "")


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule that changed the number."""

    by: str
    """`stabilization window`, or the reason of the ScalingLimited condition, or the bound of the object."""
    before: int
    after: int


def explain(decision: Decision, t_s: float | None = None) -> Reason:
    """Return why `decision` came out as it did.

    Args:
        decision: the decision.
        t_s: its time as it is to be shown, seconds; by default as the decision has it.
    """
    current, desired = decision.spec_replicas, decision.desired_replicas
    verb = "stay" if desired == current else f"become {desired}"
    shown_s = decision.t_ns / NANOS if t_s is None else t_s
    head = f"{current} replicas {verb} at {shown_s:.10g} s"
    parts = list[Reason]()
    match decision.why:
        case "disabled":
            parts.append(Reason("at zero replicas the autoscaler does nothing: scaling is disabled"))
        case "above maximum" | "below minimum":
            parts.append(
                Reason(f"{current} is {decision.why}: set to {desired}, without metrics or rate limits")
            )
        case "no valid metric":
            parts.append(Reason(f"nothing is changed: {decision.error}", _metrics(decision)))
        case "fault":
            parts.append(Reason(f"nothing is changed: {decision.error}"))
        case "metrics":
            parts.append(_recommended(decision))
    if decision.normalized is not None:
        parts += _rules(decision.normalized, current)
    if decision.lifted_to_minimum:
        parts.append(Reason(f"raised to the minimum, {desired}, because it starts from zero"))
    if decision.why == "metrics" and decision.error:
        parts.append(Reason(f"scaled all the same, with the error: {decision.error}"))
    conditions = tuple(Reason(f"{name}: {value}") for name, value in sorted(decision.conditions.items()))
    return Reason(head, (*parts, Reason("conditions", conditions)))


def limits(decision: Decision) -> list[Limit]:
    """Return the rules that changed the number, in the order in which they did."""
    current, desired = decision.spec_replicas, decision.desired_replicas
    if decision.why in {"above maximum", "below minimum"}:
        by = "maxReplicas" if decision.why == "above maximum" else "minReplicas"
        return [Limit(by, current, desired)]
    found = list[Limit]()
    normalized = decision.normalized
    if normalized is not None:
        stabilized = normalized.stabilized
        if stabilized.changed:
            found.append(Limit("stabilization window", stabilized.raw, stabilized.replicas))
        if normalized.replicas != stabilized.replicas:
            found.append(Limit(normalized.reason, stabilized.replicas, normalized.replicas))
    if decision.lifted_to_minimum and normalized is not None:
        found.append(Limit("minReplicas", normalized.replicas, desired))
    return found


def _branches(parts: tuple[Reason, ...], indent: str) -> Iterator[str]:
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        yield f"{indent}{'└─' if last else '├─'} {part.text}"
        yield from _branches(part.parts, indent + ("   " if last else "│  "))


def _recommended(decision: Decision) -> Reason:
    many = len(decision.metrics) > 1
    what = f"the highest of {len(decision.metrics)} metrics" if many else "the one metric"
    return Reason(f"{what} asks for {decision.recommended}", _metrics(decision))


def _metrics(decision: Decision) -> tuple[Reason, ...]:
    return tuple(_metric(metric, decision) for metric in decision.metrics)


def _metric(metric: Valid | Invalid, decision: Decision) -> Reason:
    name = f"{kind_of(metric.metric)} {name_of(metric.metric)}"
    if isinstance(metric, Invalid):
        return Reason(f"{name}: invalid, {metric.error}")
    proposal = metric.proposal
    head = f"{name}: {proposal.replicas}"
    if isinstance(proposal, PodsProposal):
        return Reason(head, _pods(proposal, metric, decision))
    return Reason(head, _outside(proposal, decision))


def _ratio(ratio: float, decision: Decision) -> str:
    tolerance = decision.tolerance
    return f"{ratio:.6g} (ignored from {1 - tolerance.down:g} to {1 + tolerance.up:g})"


def _pods(proposal: PodsProposal, metric: Valid, decision: Decision) -> tuple[Reason, ...]:
    asked = metric.metric
    percent = isinstance(asked, ResourceMetric) and asked.average_milli is None
    unit = " % of the requests" if percent else " a pod"
    value = amount(proposal.value, percent=percent)
    target = amount(proposal.target, percent=percent)
    parts = [
        Reason(f"{value}{unit} against {target}: ratio {_ratio(proposal.ratio, decision)}"),
        Reason(groups_of(proposal.census)),
        Reason(POD_REASONS[proposal.because]),
    ]
    if proposal.filled_ratio is not None:
        parts.insert(2, Reason(f"with a number for every pod the ratio is {proposal.filled_ratio:.6g}"))
    return tuple(parts)


def _outside(proposal: OutsideProposal, decision: Decision) -> tuple[Reason, ...]:
    value, target = amount(proposal.value, percent=False), amount(proposal.target, percent=False)
    compared = f"{value} against {target}: ratio {_ratio(proposal.ratio, decision)}"
    match proposal.because:
        case "tolerance":
            settled = "close enough to the target"
        case "from zero":
            settled = "at zero replicas the ratio is the number, and nothing is ignored"
        case "ratio":
            settled = f"computed with {proposal.counted} replicas"
    return Reason(compared), Reason(settled)


def _rules(normalized: Normalized, current: int) -> list[Reason]:
    stabilized = normalized.stabilized
    parts = list[Reason]()
    if stabilized.changed:
        bounds = [f"no fall below {stabilized.lower}"] if stabilized.lower is not None else []
        if stabilized.upper is not None:
            bounds.insert(0, f"no rise above {stabilized.upper}")
        turned = f"recent recommendations turn {stabilized.raw} into {stabilized.replicas}"
        parts.append(Reason(f"{turned}: {', '.join(bounds)}"))
    if normalized.replicas != stabilized.replicas:
        text = f"{BOUNDS[normalized.reason]}: {stabilized.replicas} becomes {normalized.replicas}"
        parts.append(Reason(text, tuple(Reason(line) for line in rate_words(normalized.rate, current))))
    elif normalized.rate is not None:
        text = f"the policies allow {normalized.rate.limit}"
        parts.append(Reason(text, tuple(Reason(line) for line in rate_words(normalized.rate, current))))
    return parts
