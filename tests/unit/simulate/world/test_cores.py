"""CPU limits in periods and shared cores: exact by hand, and never more than there is."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.simulate.world.machine import Machine, Share
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.quota import Quota

HALF = Quota(1.0, 0.05, 0.1)
FREE = Quota(1.0, 0.1, 0.1)
amounts = st.floats(0.001, 0.5)


class Clock:
    """Calls what was asked for, in the order of time."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._made = 0

    def at(self, moment_s: float, what: Callable[[], None]) -> None:
        self._made += 1
        heapq.heappush(self._heap, (moment_s, self._made, what))

    def run(self, until_s: float = float("inf")) -> None:
        while self._heap and self._heap[0][0] <= until_s:
            self.now_s, _, what = heapq.heappop(self._heap)
            what()
        self.now_s = until_s


def test_half_a_core_is_a_whole_one_half_the_time() -> None:
    """20 ms are done in 20 ms; 130 ms need the third period: 50, 50, 30."""
    assert HALF.done_s(0.0, 0.05, 0.02) == pytest.approx(0.02)
    assert HALF.done_s(0.0, 0.05, 0.13) == pytest.approx(0.23)
    assert HALF.done_s(0.0, 0.05, 0.10) == pytest.approx(0.15)
    assert HALF.done_s(0.04, 0.01, 0.02) == pytest.approx(0.11)
    assert HALF.done_s(0.09, 0.05, 0.05) == pytest.approx(0.14)  # 10 ms of this period, 40 of the next
    assert HALF.work_done_s(0.0, 0.05, 0.07) == pytest.approx(0.05)
    assert HALF.work_done_s(0.0, 0.05, 0.12) == pytest.approx(0.07)
    assert (HALF.speed, FREE.speed) == (0.5, 1.0)
    assert HALF.binds
    assert not FREE.binds


def test_each_group_has_its_own_periods() -> None:
    assert Quota(1.0, 0.05, 0.1, phase_s=0.03).done_s(0.0, 0.01, 0.02) == pytest.approx(0.04)


@given(st.floats(0, 1), st.floats(0, 0.05), amounts, st.floats(0, 0.1))
def test_work_and_time_are_each_other_s_inverse(
    start_s: float, left_s: float, work_s: float, phase_s: float
) -> None:
    quota = Quota(1.0, 0.05, 0.1, phase_s)
    done_s = quota.done_s(start_s, left_s, work_s)
    assert quota.work_done_s(start_s, left_s, done_s) == pytest.approx(work_s, abs=1e-7)
    assert done_s >= start_s + work_s
    # In the long run half a core, and a quota of one period can be there at the beginning.
    assert done_s <= start_s + work_s / 0.5 + 0.1 + 1e-6


@given(st.lists(st.tuples(st.floats(0, 0.3), amounts), min_size=1, max_size=30))
def test_no_period_has_more_than_the_quota(work: list[tuple[float, float]]) -> None:
    pod, now_s, given_s = Pod("p", 0.0, HALF), 0.0, 0.0
    for gap_s, cpu_s in work:
        now_s += gap_s
        before = pod.used_cpu_s(now_s)
        assert pod.work(now_s, cpu_s) >= now_s + cpu_s - 1e-9
        assert pod.used_cpu_s(now_s) == pytest.approx(before, abs=1e-6)
        given_s += cpu_s
    edges = [0.1 * number for number in range(int(now_s * 10) + 1, int(pod.free_s * 10) + 3)]
    used = [pod.used_cpu_s(edge) for edge in edges]
    assert all(after - before <= 0.05 + 1e-6 for before, after in pairwise(used))
    assert used[-1] == pytest.approx(given_s)


@given(st.lists(st.tuples(st.floats(0, 0.3), amounts), min_size=1, max_size=30), st.floats(0, 0.1))
def test_a_share_alone_on_enough_cores_is_a_pod_with_its_own(
    work: list[tuple[float, float]], phase_s: float
) -> None:
    """Two ways to the same: in closed form, and event by event."""
    quota, clock = Quota(1.0, 0.05, 0.1, phase_s), Clock()
    pod, share, machine = Pod("p", 0.0, quota), Share(100.0, quota), Machine(2.0, clock.at)
    expected, found, now_s = list[float](), list[float](), 0.0
    for gap_s, cpu_s in work:
        now_s += gap_s
        expected.append(pod.work(now_s, cpu_s))
        clock.run(now_s)
        machine.give(share, now_s, cpu_s, lambda: found.append(clock.now_s))
    clock.run()
    assert found == pytest.approx(expected, abs=1e-5)
    assert share.used_s(clock.now_s) == pytest.approx(sum(cpu_s for _, cpu_s in work), abs=1e-6)


def finished(machine_cores: float, shares: list[Share], work_s: list[float]) -> list[float]:
    """Give each share its work at 0 s; return when each is done."""
    clock, ended = Clock(), [0.0] * len(shares)
    machine = Machine(machine_cores, clock.at)

    def done_by(place: int) -> Callable[[], None]:
        def done() -> None:
            ended[place] = clock.now_s

        return done

    for place, (share, amount_s) in enumerate(zip(shares, work_s, strict=True)):
        machine.give(share, 0.0, amount_s, done_by(place))
    clock.run()
    return ended


def test_cores_are_shared_by_weight() -> None:
    """One core, weights 1 and 3: quarters and three quarters until the heavy one is done at 4 s."""
    shares = [Share(100.0, FREE), Share(300.0, FREE)]
    assert finished(1.0, shares, [2.0, 3.0]) == pytest.approx([5.0, 4.0])


def test_nobody_gets_more_than_it_can_use_and_others_get_the_rest() -> None:
    """Two cores, three threads: the heaviest is held at one core, the others halve the second."""
    shares = [Share(1000.0, FREE), Share(100.0, FREE), Share(100.0, FREE)]
    assert finished(2.0, shares, [1.0, 0.5, 1.0]) == pytest.approx([1.0, 1.0, 1.5])


def test_a_quota_leaves_its_core_to_others() -> None:
    """One core, halved while both run; after its 50 ms at 0.1 s the limited one is done."""
    limited, other = Share(100.0, HALF), Share(100.0, FREE)
    ended = finished(1.0, [limited, other], [0.05, 0.15])
    assert ended == pytest.approx([0.1, 0.2])
    assert (limited.periods, limited.throttled) == (1, 0)
    limited = Share(100.0, HALF)
    assert finished(1.0, [limited], [0.16]) == pytest.approx([0.31])
    assert (limited.periods, limited.throttled) == (4, 3)


@given(
    st.lists(
        st.tuples(st.sampled_from((100.0, 200.0, 1000.0)), amounts, st.booleans()), min_size=1, max_size=8
    ),
    st.sampled_from((1.0, 2.0, 4.0)),
)
def test_no_work_is_lost_and_no_core_idles(shares: list[tuple[float, float, bool]], cores: float) -> None:
    work_s = [amount_s for _, amount_s, _ in shares]
    ended = finished(cores, [Share(weight, HALF if bound else FREE) for weight, _, bound in shares], work_s)
    assert max(ended) >= max(max(work_s), sum(work_s) / cores) - 1e-6
    if not any(bound for _, _, bound in shares) and cores == 1.0:
        assert max(ended) == pytest.approx(sum(work_s), abs=1e-6)
    assert all(end_s >= amount_s - 1e-6 for end_s, amount_s in zip(ended, work_s, strict=True))


def test_what_is_dropped_is_not_done() -> None:
    clock = Clock()
    machine, gone, stays, ended = Machine(1.0, clock.at), Share(1.0, FREE), Share(1.0, FREE), list[float]()
    machine.give(gone, 0.0, 5.0, lambda: ended.append(-1.0))
    machine.give(stays, 0.0, 1.0, lambda: ended.append(clock.now_s))
    clock.run(1.0)
    machine.drop(gone, 1.0)
    clock.run()
    assert ended == pytest.approx([1.5])
