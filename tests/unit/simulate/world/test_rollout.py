"""Rolling updates: upstream's fence posts by hand, and the bounds kept in every order of events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.simulate.world.parameters import Rollout
from tidegate.simulate.world.rollout import Sets, bounds, step


@pytest.mark.parametrize(
    ("surge", "unavailable", "replicas", "expected"),
    [(25, 25, 10, (3, 2)), (25, 25, 1, (1, 0)), (0, 25, 3, (0, 1)), (0, 25, 4, (0, 1)), (100, 0, 4, (4, 0))],
)
def test_percentages_are_rounded_up_and_down(
    surge: int, unavailable: int, replicas: int, expected: tuple[int, int]
) -> None:
    rollout = Rollout(at_s=0, max_surge_percent=surge, max_unavailable_percent=unavailable)
    assert bounds(rollout, replicas) == expected


def test_ten_replicas_as_upstream_s_own_example_has_them() -> None:
    """rolling.go: 10 replicas, 2 unavailable, 3 surge: 3 new, 8 old, 5 new."""
    rollout = Rollout(at_s=0)
    assert step(rollout, 10, Sets(10, 0, 10, 0)) == (10, 3)
    assert step(rollout, 10, Sets(10, 3, 10, 0)) == (8, 3)
    assert step(rollout, 10, Sets(8, 3, 8, 0)) == (8, 5)
    assert step(rollout, 10, Sets(8, 5, 8, 0)) == (8, 5), "new pods that do not come hold it"
    assert step(rollout, 10, Sets(8, 5, 7, 0)) == (8, 5), "nor does an old pod that fails move it"


def test_unhealthy_old_pods_go_first() -> None:
    """Four that are not available, and one of the nine that are, for eight suffice."""
    assert step(Rollout(at_s=0), 10, Sets(10, 3, 6, 3)) == (5, 3)


def test_fewer_replicas_shrink_the_new_ones() -> None:
    assert step(Rollout(at_s=0), 4, Sets(2, 8, 2, 8)) == (2, 4)


@given(
    st.integers(1, 60),
    st.integers(0, 100),
    st.integers(0, 100),
    st.lists(st.integers(0, 10), min_size=0, max_size=40),
)
def test_the_bounds_hold_until_all_is_new(
    replicas: int, surge: int, unavailable: int, arrivals: list[int]
) -> None:
    """Old pods are available until they are taken; new ones become so in any order, in the end all."""
    rollout = Rollout(at_s=0, max_surge_percent=surge, max_unavailable_percent=unavailable)
    most, least = bounds(rollout, replicas)
    old, new, available = replicas, 0, 0
    for number in range(600):
        old, new = step(rollout, replicas, Sets(old, new, old, available))
        assert old + new <= replicas + most
        assert old + available >= replicas - least
        came = arrivals[number] if number < len(arrivals) else 1
        available = min(new, available + came)
    assert (old, new, available) == (0, replicas, replicas)
