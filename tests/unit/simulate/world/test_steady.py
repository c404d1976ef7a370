"""The short way to a decision comes to the same as the whole one."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.hpa_strategies import rules

from tidegate.simulate.hpa import Behavior, Controller, Memory, Spec, decide_with
from tidegate.simulate.hpa.census import Census
from tidegate.simulate.hpa.evaluate import Invalid, Valid
from tidegate.simulate.hpa.pod_metrics import utilization_proposal
from tidegate.simulate.hpa.spec import NANOS, Metric, ResourceMetric
from tidegate.simulate.hpa.tolerance import Tolerance
from tidegate.simulate.world.steady import SteadyDecisions

METRIC = ResourceMetric("cpu", utilization_percent=60)


def census_of(pods: int, percent: int, missing: int) -> Census:
    counted = max(1, pods - missing)
    return Census(
        ready=counted,
        unready=0,
        missing=missing,
        ignored=0,
        measured=counted,
        total=counted * percent,
        requested=counted * 100,
        requested_by_missing=(100,) * missing,
    )


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    least = draw(st.integers(1, 5))
    return Spec(
        max_replicas=least + draw(st.integers(0, 40)),
        min_replicas=least,
        metrics=(METRIC,),
        behavior=Behavior(draw(rules()), draw(rules())),
    )


# Mostly near the target: only there do syncs ask for what there is.
syncs = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from([54, 58, 60, 60, 62, 66, 90, 20]), st.integers(0, 2)),
    min_size=1,
    max_size=60,
)


@given(specs(), syncs, st.integers(1, 50))
def test_it_is_the_whole_decision(spec: Spec, seen: list[tuple[int, int, int]], first: int) -> None:
    controller = Controller(downscale_stabilization_ns=120 * NANOS)
    short, memory = SteadyDecisions(spec, controller), Memory()
    current = now_s = first
    for wait_s, percent, missing in seen:
        now_s += wait_s
        census = None if percent == 20 and missing == 2 else census_of(current, percent, missing)

        def whole(
            metric: Metric, tolerance: Tolerance, current: int = current, census: Census | None = census
        ) -> Valid | Invalid:
            if census is None:
                return Invalid(metric, "FailedGetResourceMetric", "none")
            return Valid(metric, utilization_proposal(current, 60, census, tolerance))

        decision, memory = decide_with(spec, controller, memory, current, now_s * NANOS, whole)
        assert short.replicas(current, census, now_s * NANOS) == decision.desired_replicas
        current = decision.desired_replicas


def test_what_it_was_not_made_for_is_refused() -> None:
    spec = Spec(max_replicas=5, metrics=(METRIC,))
    with pytest.raises(ValueError, match="behavior"):
        SteadyDecisions(spec, Controller())
    with pytest.raises(ValueError, match="percentage"):
        SteadyDecisions(
            replace(spec, behavior=Behavior(), metrics=(ResourceMetric("cpu", average_milli=5),)),
            Controller(),
        )
