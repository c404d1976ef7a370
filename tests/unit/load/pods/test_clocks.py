from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tidegate.load.pods.clocks import CLOCK, WITHIN, compare


def network(delays: Iterator[tuple[float, float]], ahead_s: float) -> tuple[Callable[[], float], ...]:
    """Return a question to a clock that is ahead, over a network with these delays, and the time here."""
    now_s = 1000.0

    def ask() -> float:
        nonlocal now_s
        there_s, back_s = next(delays)
        now_s += there_s
        told_s = now_s + ahead_s
        now_s += back_s
        return told_s

    return ask, lambda: now_s


def test_the_quickest_answer_tells_most() -> None:
    ask, clock = network(iter([(0.5, 0.1), (0.01, 0.03), (0.3, 0.3)]), ahead_s=2.0)
    found = compare(ask, asks=3, clock=clock)
    assert found.within_s == pytest.approx(0.02)
    assert found.offset_s == pytest.approx(1.99)


@pytest.mark.parametrize("ahead_s", [-3.0, 0.0, 0.4])
@pytest.mark.parametrize("delay", [(0.0, 0.2), (0.2, 0.0), (0.1, 0.1)])
def test_the_truth_lies_within(ahead_s: float, delay: tuple[float, float]) -> None:
    ask, clock = network(iter([delay]), ahead_s)
    found = compare(ask, asks=1, clock=clock)
    assert abs(found.offset_s - ahead_s) <= found.within_s + 1e-9


def test_it_becomes_two_samples_of_the_pod() -> None:
    ask, clock = network(iter([(0.1, 0.1)]), 1.0)
    rows = compare(ask, asks=1, clock=clock).rows("w-0")
    assert [(row.name, row.labels, row.value) for row in rows] == [
        (CLOCK, '{"host":"w-0"}', pytest.approx(1.0)),
        (WITHIN, '{"host":"w-0"}', pytest.approx(0.1)),
    ]
    assert [row.t_s for row in rows] == [pytest.approx(1000.1)] * 2
