"""Activation, cooldown, and what is left to the autoscaler."""

from __future__ import annotations

import pytest

from tidegate.simulate.world.keda import Polled, poll
from tidegate.simulate.world.parameters import Keda

ZERO = Keda(activation_rps=0.5, cooldown_s=300)


@pytest.mark.parametrize(
    ("value", "replicas", "last_active_s", "expected"),
    [
        (0.6, 0, None, Polled(1, 1000.0)),  # active: from zero to one
        (0.6, 3, 10.0, Polled(None, 1000.0)),  # active: the autoscaler's part
        (0.5, 0, None, Polled(None, None)),  # at the threshold is not above it
        (0.5, 3, 700.0, Polled(None, 700.0)),  # 300 s are not over before 1000 s
        (0.5, 3, 699.9, Polled(0, 699.9)),  # cooled down
        (0.0, 3, None, Polled(0, None)),  # never active: no cooldown
        (None, 3, 0.0, Polled(0, 0.0)),
        (None, 0, 0.0, Polled(None, 0.0)),
    ],
)
def test_to_zero_and_back(
    value: float | None, replicas: int, last_active_s: float | None, expected: Polled
) -> None:
    assert poll(ZERO, value, replicas, 1000.0, last_active_s) == expected


def test_with_a_least_of_two_nothing_goes_to_zero() -> None:
    keda = Keda(min_replicas=2)
    assert poll(keda, 0.0, 5, 1000.0, 0.0) == Polled(None, 0.0)
    assert poll(keda, 0.0, 1, 1000.0, 0.0) == Polled(2, 0.0)
    assert poll(keda, 1.0, 0, 1000.0, None) == Polled(2, 1000.0)
