"""Decide what the controller decided, and compare.

The moment at which the controller looked at its clock is known only as a span: after the metrics were
answered, before it wrote or logged what it had decided. Every decision is therefore made twice, once with
everything remembered as young as it can be and once as old. Where the two differ, a window ended within
the span: nothing is compared from there on, and the history counts as undetermined from that sync.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from differential.driver import Driven, Seen, shown_metrics
from differential.generator import CPU_INITIALIZATION_S, DOWNSCALE_S, READINESS_DELAY_S
from differential.witness import Witnessed

from tidegate.simulate.hpa import Controller, Decision, Memory, decide
from tidegate.simulate.hpa.evaluate import Valid, kind_of
from tidegate.simulate.hpa.memory import Condition, Recommendation
from tidegate.simulate.hpa.pod_metrics import PodsProposal
from tidegate.simulate.hpa.pods import Fault
from tidegate.simulate.wire.convert import controller_of, observation_of, seconds_to_ns, spec_of
from tidegate.simulate.wire.history import ControllerFlags, Sync
from tidegate.simulate.wire.hpa import HpaObject

Object = dict[str, Any]

GATES = {"HPAScaleToZero": True}
CONTROLLER = controller_of(
    ControllerFlags(
        tolerance=0.1,
        downscale_stabilization_s=DOWNSCALE_S,
        cpu_initialization_period_s=CPU_INITIALIZATION_S,
        initial_readiness_delay_s=READINESS_DELAY_S,
        version="1.36",
        feature_gates=GATES,
    )
)
Conditions = dict[str, Condition]
_NEWS_S = 2.0
"""Within this time after a write the controller may not have news of it. A sync that then comes to what the
version before had writes nothing, although the object says otherwise."""
_CLOCK_S = 5e-6
"""The audit log and the controller's log cut their times to microseconds."""


@dataclass
class Compared:
    """What came of the comparison."""

    syncs: int = 0
    undetermined: int = 0
    """Histories that were left, because the moment of a sync decides and is not known closely enough."""
    differences: list[str] = field(default_factory=list[str])
    reached: Counter[str] = field(default_factory=Counter[str])
    """Branches, by how often they decided."""


def compare(
    driven: Driven, syncs: list[Witnessed], result: Compared, controller: Controller = CONTROLLER
) -> None:
    """Compare one history's syncs with the controller's, and add to `result`.

    Args:
        driven: the history.
        syncs: what the controller did in it.
        result: is added to.
        controller: the flags that ours decides with; only to see that others make a difference.

    Raises:
        AssertionError: the record is not one of whole syncs, each on one observation.
    """
    spec = spec_of(HpaObject.model_validate({"spec": driven.hpa_spec}))
    young = old = Memory()
    seen = list(driven.seen)
    latest, told, ended_s = Conditions(), 0, 0.0
    versions = dict[str, Conditions]()
    for number, sync in enumerate(syncs):
        if sync.next_s is None or sync.next_s > driven.ended_s + _CLOCK_S:
            # The last sync that counts is the one that ended before the last metric was asked for.
            break
        place = f"{driven.namespace} sync {number}"
        shown = seen.pop(0) if seen and sync.began_s <= seen[0].served.arrived_s <= sync.next_s else None
        assert sync.decided_s is not None
        if shown is not None:
            count = shown.served.requests
            assert count == driven.requests, f"{place}: {count} metrics were asked for at once"
        first_s = sync.began_s if shown is None else shown.served.answered_s
        early_ns, late_ns = seconds_to_ns(first_s - _CLOCK_S), seconds_to_ns(sync.decided_s + _CLOCK_S)
        assert early_ns <= late_ns, f"{place}: decided before it was answered"
        if young.recommendations is None and sync.read is not None:
            now = sync.read.get("spec", {}).get("replicas", 0)
            until_s = sync.decided_s if shown is None else shown.served.arrived_s
            young = replace(young, recommendations=_seed(now, until_s + _CLOCK_S))
            old = replace(old, recommendations=_seed(now, sync.began_s - _CLOCK_S))
        if sync.status is not None:
            # Mostly the latest; an older one where a sync follows so closely that news of it were on the way.
            if not versions:
                versions[sync.base] = latest
            base = versions.get(sync.base)
            assert base is not None, f"{place}: its autoscaler's version is unknown"
            young, old = replace(young, conditions=base), replace(old, conditions=base)
        observed = _observed(sync, shown)
        one, young = decide(spec, controller, young, replace(observed, t_ns=early_ns))
        two, old = decide(spec, controller, old, replace(observed, t_ns=late_ns))
        change_ns = (
            seconds_to_ns((sync.scaled_s or 0.0) - _CLOCK_S),
            seconds_to_ns((sync.stored_s or sync.next_s) + _CLOCK_S),
        )
        young = _stamped(young, early_ns, late_ns, change_ns[1])
        old = _stamped(old, late_ns, early_ns, change_ns[0])
        if _told(one) != _told(two):
            result.undetermined += 1
            return
        asked = bool(one.metrics)
        assert asked == (shown is not None), f"{place}: {one.why}, but metrics asked for: {shown is not None}"
        if sync.status is not None:
            conditions = {
                item["type"]: Condition(item["status"], item["reason"]) for item in sync.status["conditions"]
            }
            desired = sync.status.get("desiredReplicas", 0)
            if sync.version:
                latest = versions[sync.version] = conditions
                told = desired
        else:
            # What a refused write said is nowhere: the object still says what was stored before.
            conditions, desired = latest, told
            if sync.began_s < ended_s + _NEWS_S and conditions != one.conditions:
                result.undetermined += 1
                return
        ended_s = sync.stored_s or ended_s
        young, old = replace(young, conditions=latest), replace(old, conditions=latest)
        wrote = one.desired_replicas if one.desired_replicas != one.spec_replicas else None
        problems = list[str]()
        if wrote != sync.written:
            problems.append(f"wrote {sync.written}, ours {wrote}")
        if conditions != one.conditions:
            problems.append(f"conditions {_listed(conditions)}, ours {_listed(one.conditions)}")
        if not one.error and desired != one.desired_replicas:
            problems.append(f"desired {desired}, ours {one.desired_replicas}")
        result.syncs += 1
        _count(one, sync, result)
        if problems:
            result.differences.append(
                f"{place} (of {one.spec_replicas}): {'; '.join(problems)}; ours says {one.error or one.why}\n"
                f"what it was shown: {None if shown is None else shown.pods}\n"
                f"what it was answered: {None if shown is None else shown.step.answers}\n"
                f"what it wrote: {sync.status}"
            )
            return
    assert not seen, f"{driven.namespace}: {len(seen)} observations belong to no sync"


def _listed(conditions: Mapping[str, Condition]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(conditions.items()))


def _seed(replicas: int, t_s: float) -> tuple[Recommendation, ...]:
    return (Recommendation(replicas, seconds_to_ns(t_s)),)


def _observed(sync: Witnessed, shown: Seen | None) -> Any:
    """Return what the controller saw, its moment still open."""
    fault: Fault | None = None
    if sync.read is None:
        fault = "FailedGetScale"
    elif sync.refused and sync.written is None:
        fault = "FailedUpdateScale"
    scale = sync.read or {}
    document: Object = {
        "t_s": 0,
        "spec_replicas": scale.get("spec", {}).get("replicas", 0),
        "status_replicas": scale.get("status", {}).get("replicas", 0),
        "fault": fault,
    }
    if shown is not None:
        answers = shown.step.answers
        document |= {
            "pods": shown.pods,
            "pod_metrics": {
                name: {pod: _plain(value) for pod, value in values.items()}
                for name, values in answers.pod_metrics.items()
            },
            "object_metrics": {name: _plain(value) for name, value in answers.object_metrics.items()},
            "external_metrics": {
                name: [_plain(value) for value in values] for name, values in answers.external_metrics.items()
            },
            "stray_metrics": {one["metadata"]["name"]: shown_metrics(one) for one in shown.step.strays},
        }
    return observation_of(Sync.model_validate(document))


def _plain(amount: str) -> float:
    """Return an amount in quarters, which a float holds exactly."""
    return int(amount[:-1]) / 1000


def _stamped(memory: Memory, made_ns: int, recommended_ns: int, changed_ns: int) -> Memory:
    """Return `memory` with what was remembered at `made_ns` as of the moments given."""

    def moved(items: Any, t_ns: int) -> Any:
        return tuple(replace(one, t_ns=t_ns) if one.t_ns == made_ns else one for one in items)

    return Memory(
        None if memory.recommendations is None else moved(memory.recommendations, recommended_ns),
        moved(memory.up_events, changed_ns),
        moved(memory.down_events, changed_ns),
        memory.conditions,
    )


def _told(decision: Decision) -> Any:
    return decision.desired_replicas, decision.why, {k: str(v) for k, v in decision.conditions.items()}


def _count(decision: Decision, sync: Witnessed, result: Compared) -> None:
    reached = result.reached
    reached[f"why: {decision.why}"] += 1
    if decision.fault is not None and decision.why == "fault":
        reached[f"fault: {decision.fault}"] += 1
    for metric in decision.metrics:
        kind = kind_of(metric.metric)
        if not isinstance(metric, Valid):
            reached[f"{kind}: invalid"] += 1
        else:
            target = "percent" if getattr(metric.metric, "utilization_percent", None) else "amount"
            if kind in {"Object", "External"}:
                target = "value" if getattr(metric.metric, "value_milli", None) else "average"
            reached[f"{kind}, {target}: {metric.proposal.because}"] += 1
            if isinstance(metric.proposal, PodsProposal):
                census = metric.proposal.census
                for name in ("ready", "unready", "missing", "ignored"):
                    reached[f"pods {name}"] += min(1, getattr(census, name))
    if decision.normalized is not None:
        rules = "without behavior" if decision.normalized.stabilized.upper is None else "with behavior"
        limited = "limited" if decision.normalized.limited.status == "True" else "not limited"
        reached[f"{rules}: {decision.normalized.able.reason}"] += 1
        reached[f"{rules}: {decision.normalized.reason}, {limited}"] += 1
        if decision.desired_replicas != decision.spec_replicas:
            up = "up" if decision.desired_replicas > decision.spec_replicas else "down"
            reached[f"{rules}: rescaled {up}"] += 1
    if decision.spec_replicas == 0 and decision.why == "metrics":
        reached["metrics at zero replicas"] += 1
