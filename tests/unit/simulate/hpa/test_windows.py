"""The edges of windows, which few histories meet: each is where upstream's comparison puts it."""

from __future__ import annotations

import pytest

from tidegate.simulate.hpa.memory import Recommendation, ScaleEvent
from tidegate.simulate.hpa.rates import changed_within
from tidegate.simulate.hpa.spec import NANOS
from tidegate.simulate.hpa.stabilize import highest_recent, within_recent

NOW_NS = 1000 * NANOS


@pytest.mark.parametrize(("age_ns", "counts"), [(60 * NANOS, True), (60 * NANOS + 1, False)])
def test_without_behavior_a_recommendation_as_old_as_the_window_counts(age_ns: int, counts: bool) -> None:
    """Upstream asks whether it is before the cutoff (horizontal.go:1041)."""
    recent = (Recommendation(9, NOW_NS - age_ns),)
    stabilized, kept = highest_recent(recent, 3, 60 * NANOS, NOW_NS)
    assert stabilized.replicas == (9 if counts else 3)
    assert len(kept) == (2 if counts else 1), "an old one gives its place away"


@pytest.mark.parametrize(("age_ns", "counts"), [(60 * NANOS - 1, True), (60 * NANOS, False)])
def test_with_behavior_a_recommendation_as_old_as_the_window_does_not(age_ns: int, counts: bool) -> None:
    """Upstream asks whether it is after the cutoff (horizontal.go:1224, 1227)."""
    down, _ = within_recent((Recommendation(9, NOW_NS - age_ns),), 10, 3, 0, 60, NOW_NS)
    assert down.replicas == (9 if counts else 3)
    up, _ = within_recent((Recommendation(4, NOW_NS - age_ns),), 3, 9, 60, 0, NOW_NS)
    assert up.replicas == (4 if counts else 9)


def test_with_behavior_the_place_at_the_edge_is_not_given_away() -> None:
    """It counts no longer, and is not before the cutoff either (horizontal.go:1230)."""
    recent = (Recommendation(9, NOW_NS - 60 * NANOS),)
    _, kept = within_recent(recent, 10, 3, 0, 60, NOW_NS)
    assert [one.replicas for one in kept] == [9, 3]


def test_a_change_as_old_as_the_period_is_out_of_it() -> None:
    events = (ScaleEvent(4, NOW_NS - 60 * NANOS), ScaleEvent(2, NOW_NS - 60 * NANOS + 1))
    assert changed_within(events, 60, NOW_NS) == 2
