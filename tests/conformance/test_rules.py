"""horizontal_test.go, the tests of single rules: bounds, rates, events and stabilization."""

from __future__ import annotations

import pytest
from support import hpa_cases
from support.hpa_cases import NOW_NS, Case

from tidegate.simulate.hpa import Memory, Spec
from tidegate.simulate.hpa.memory import Recommendation
from tidegate.simulate.hpa.normalize import bounded_by_rates, bounded_step
from tidegate.simulate.hpa.rates import changed_within, down_limit, remember_change, up_limit
from tidegate.simulate.hpa.spec import DOWN_RULES, NANOS, UP_RULES, Behavior
from tidegate.simulate.hpa.stabilize import highest_recent, within_recent

FILE = "rules.json"


def _spec(case: Case) -> Spec:
    return Spec(max_replicas=case["max_replicas"], min_replicas=case["min_replicas"])


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "bounded step"))
def test_bounds_without_behavior(case: Case) -> None:
    controller = hpa_cases.controller(FILE, case)
    replicas, reason, _ = bounded_step(case["current"], case["desired"], _spec(case), controller)
    assert {"replicas": replicas, "reason": reason} == case["expected"]


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "rates"))
def test_bounds_with_behavior(case: Case) -> None:
    behavior = Behavior(
        hpa_cases.rules(case.get("up"), UP_RULES), hpa_cases.rules(case.get("down"), DOWN_RULES)
    )
    memory = Memory(
        up_events=hpa_cases.events(case.get("up_events")),
        down_events=hpa_cases.events(case.get("down_events")),
    )
    replicas, reason, _, _ = bounded_by_rates(
        case["current"], case["desired"], _spec(case), behavior, memory, NOW_NS
    )
    assert {"replicas": replicas, "reason": reason} == case["expected"]


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "up limit"))
def test_up_limit(case: Case) -> None:
    limit = up_limit(case["current"], Memory(), hpa_cases.rules(case["rules"], UP_RULES), NOW_NS).limit
    assert limit == case["expected"]["replicas"]


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "down limit"))
def test_down_limit(case: Case) -> None:
    limit = down_limit(case["current"], Memory(), hpa_cases.rules(case["rules"], DOWN_RULES), NOW_NS).limit
    assert limit == case["expected"]["replicas"]


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "events"))
@pytest.mark.parametrize("sign", [1, -1], ids=["up", "down"])
def test_events(case: Case, sign: int) -> None:
    before, expected = hpa_cases.events(case["events"]), case["expected"]
    assert changed_within(before, 60, NOW_NS) == expected["changed_in_60_s"]
    if case.get("rules") is None:  # without behavior the controller does not come here
        assert [[event.change, event.outdated] for event in before] == expected["events"]
        return
    rules = hpa_cases.rules(case["rules"], UP_RULES)
    memory = Memory(up_events=before, down_events=before)
    after = remember_change(memory, 10, 10 + sign * case["change"], rules, rules, NOW_NS)
    changed, kept = (after.up_events, after.down_events)[::sign]
    assert [[event.change, event.outdated] for event in changed] == expected["events"]
    assert kept == before


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "highest recent"))
def test_stabilization_without_behavior(case: Case) -> None:
    recent = hpa_cases.recommendations(case)
    stabilized, kept = highest_recent(recent, case["raw"], case["window_s"] * NANOS, NOW_NS)
    assert {"replicas": stabilized.replicas, "remembered": len(kept)} == case["expected"]


@pytest.mark.parametrize("case", hpa_cases.parameters(FILE, "within recent"))
def test_stabilization_with_behavior(case: Case) -> None:
    stabilized, kept = within_recent(
        hpa_cases.recommendations(case),
        case["current"],
        case["raw"],
        case["up_window_s"],
        case["down_window_s"],
        NOW_NS,
    )
    assert stabilized.replicas == case["expected"]["replicas"]
    if "recommendations" in case["expected"]:
        assert [one.replicas for one in kept] == case["expected"]["recommendations"]
    assert Recommendation(case["raw"], NOW_NS) in kept
