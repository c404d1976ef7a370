"""What holds for every autoscaler, whatever it sees."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from support import hpa_strategies as some

from tidegate.simulate.hpa import Controller, Decision, Memory, Observation, Spec, decide
from tidegate.simulate.hpa.explain import explain, limits
from tidegate.simulate.hpa.pods import Container, ContainerUsage, Pod, PodUsage
from tidegate.simulate.hpa.spec import NANOS, ExternalMetric, ResourceMetric


def run(spec: Spec, controller: Controller, seen: list[Observation]) -> list[Decision]:
    """Return the decisions over several syncs, 15 s apart."""
    memory, decisions = Memory(), list[Decision]()
    for number, one in enumerate(seen):
        decision, memory = decide(spec, controller, memory, replace(one, t_ns=one.t_ns + number * 15 * NANOS))
        decisions.append(decision)
    return decisions


several = st.lists(some.observations(), min_size=1, max_size=4)


@given(some.specs(), some.controllers, several)
def test_replicas_stay_within_the_bounds(spec: Spec, controller: Controller, seen: list[Observation]) -> None:
    for decision in run(spec, controller, seen):
        if decision.why in {"disabled", "fault"}:
            assert decision.desired_replicas == decision.spec_replicas
        elif decision.why == "no valid metric":
            assert decision.desired_replicas == decision.spec_replicas
            assert decision.error
        else:
            assert spec.min_replicas <= decision.desired_replicas <= spec.max_replicas


@given(some.specs(), some.controllers, several)
def test_decisions_are_repeatable(spec: Spec, controller: Controller, seen: list[Observation]) -> None:
    assert run(spec, controller, seen) == run(spec, controller, seen)


@given(some.specs(), some.controllers, several, st.randoms(use_true_random=False))
def test_the_order_of_pods_does_not_matter(
    spec: Spec, controller: Controller, seen: list[Observation], random: Random
) -> None:
    shuffled = [replace(one, pods=tuple(random.sample(one.pods, len(one.pods)))) for one in seen]
    found = zip(run(spec, controller, seen), run(spec, controller, shuffled), strict=True)
    for straight, other in found:
        assert straight.desired_replicas == other.desired_replicas
        assert straight.conditions == other.conditions
        assert bool(straight.error) == bool(other.error)


@given(some.specs(), some.controllers, some.observations())
def test_without_behavior_one_step_doubles_at_most(
    spec: Spec, controller: Controller, seen: Observation
) -> None:
    decision, _ = decide(replace(spec, behavior=None), controller, Memory(), seen)
    if decision.why == "metrics":
        assert decision.desired_replicas <= max(2 * seen.spec_replicas, 4, spec.min_replicas)


@given(some.specs(), some.controllers, some.observations())
def test_the_first_sync_takes_nothing_away(spec: Spec, controller: Controller, seen: Observation) -> None:
    """The replicas there are count as a recommendation, and the window down has not passed."""
    patient = replace(controller, downscale_stabilization_ns=60 * NANOS)
    decision, _ = decide(replace(spec, behavior=None), patient, Memory(), seen)
    if decision.why == "metrics":
        assert decision.desired_replicas >= min(seen.spec_replicas, spec.max_replicas)


@given(some.specs(), some.controllers, some.observations(), st.integers(1, 10**6), st.integers(0, 10**7))
def test_another_valid_metric_never_lowers_the_recommendation(
    spec: Spec, controller: Controller, seen: Observation, target: int, value: int
) -> None:
    """An average target needs no pods, so it is always valid."""
    added = replace(spec, metrics=(*spec.metrics, ExternalMetric("added", average_milli=target)))
    with_it = replace(seen, external_metrics={**seen.external_metrics, "added": (value,)})
    before, _ = decide(spec, controller, Memory(), seen)
    after, _ = decide(added, controller, Memory(), with_it)
    if before.recommended is not None and after.recommended is not None:
        assert after.recommended >= before.recommended


def _busy(usages: list[int]) -> Observation:
    pods = tuple(
        Pod(
            f"p{number}",
            containers=(Container("app", {"cpu": 100}),),
            usage=PodUsage(990 * NANOS, 15 * NANOS, (ContainerUsage("app", {"cpu": usage}),)),
        )
        for number, usage in enumerate(usages)
    )
    return Observation(1000 * NANOS, len(pods), len(pods), pods)


@given(
    st.lists(st.integers(0, 500), min_size=1, max_size=20),
    st.integers(0, 19),
    st.integers(0, 500),
    some.percents,
)
def test_more_use_never_asks_for_less(usages: list[int], which: int, more: int, target: int) -> None:
    """It holds where all pods count: then the ratio is multiplied by the replicas there are."""
    spec = Spec(max_replicas=10_000, metrics=(ResourceMetric("cpu", utilization_percent=target),))
    busier = [*usages]
    busier[which % len(usages)] += more
    first, _ = decide(spec, Controller(), Memory(), _busy(usages))
    second, _ = decide(spec, Controller(), Memory(), _busy(busier))
    assert first.recommended is not None
    assert second.recommended is not None
    assert second.recommended >= first.recommended


@given(some.specs(), some.controllers, several)
def test_the_limits_lead_from_the_recommendation_to_the_number(
    spec: Spec, controller: Controller, seen: list[Observation]
) -> None:
    for decision in run(spec, controller, seen):
        if decision.why in {"fault", "disabled", "no valid metric"}:
            continue
        here = decision.spec_replicas if decision.recommended is None else max(decision.recommended, 0)
        for limit in limits(decision):
            assert limit.before == here
            here = limit.after
        assert here == decision.desired_replicas
        assert str(decision.desired_replicas) in explain(decision).text
