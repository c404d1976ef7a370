from __future__ import annotations

import itertools
import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.load.offered import Phase, Profile, arrival_offsets, held
from tidegate.load.schedule import Arrivals

KINDS: tuple[Arrivals, ...] = ("poisson", "constant")
rates = st.floats(0, 200)
phases = st.lists(st.builds(Phase, st.floats(0, 20), rates, rates), min_size=1, max_size=5)


@given(st.sampled_from(KINDS), phases, st.integers(0, 2**32))
def test_arrivals_run_forward_and_lie_within_the_load(kind: Arrivals, pieces: list[Phase], seed: int) -> None:
    offsets = list(arrival_offsets(pieces, kind, seed))
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= Profile(pieces).seconds * (1 + 1e-9) for offset in offsets)


@given(phases, st.integers(0, 2**32))
def test_constant_arrivals_are_as_many_as_the_load_means(pieces: list[Phase], seed: int) -> None:
    count = sum(1 for _ in arrival_offsets(pieces, "constant", seed))
    assert abs(count - Profile(pieces).requests) <= 0.5 + 1e-6


@given(phases)
def test_the_expected_count_grows_by_one_from_each_constant_arrival_to_the_next(pieces: list[Phase]) -> None:
    for number, offset in enumerate(arrival_offsets(pieces, "constant", 1)):
        before = 0.0
        left = offset
        for seconds, low, high in pieces:
            part = min(left, seconds)
            if seconds > 0:
                before += part * (low + (low + (high - low) * part / seconds)) / 2
            left -= part
        assert before == pytest.approx(number + 0.5, rel=1e-6, abs=1e-6)


def test_constant_arrivals_of_a_constant_rate_are_evenly_spaced() -> None:
    offsets = list(arrival_offsets([held(10, 8)], "constant", 1))
    assert offsets == pytest.approx([(number + 0.5) / 8 for number in range(80)])


def test_poisson_arrivals_follow_a_slope() -> None:
    offsets = list(arrival_offsets([Phase(1000, 0, 40)], "poisson", 3))
    # Mean 20,000, standard deviation 141; a quarter of them come in the first half.
    assert abs(len(offsets) - 20_000) < 4 * math.sqrt(20_000)
    early = sum(offset < 500 for offset in offsets)
    assert abs(early - 5000) < 4 * math.sqrt(5000)


def test_poisson_gaps_have_the_mean_and_the_spread_of_independent_arrivals() -> None:
    offsets = list(arrival_offsets([held(4000, 5)], "poisson", 7))
    gaps = [after - before for before, after in itertools.pairwise(offsets)]
    assert statistics.mean(gaps) == pytest.approx(0.2, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(0.2, rel=0.04)


@pytest.mark.parametrize("kind", KINDS)
def test_the_seed_decides(kind: Arrivals) -> None:
    def offsets(seed: int) -> list[float]:
        return list(arrival_offsets([held(10, 20)], kind, seed))

    assert offsets(1) == offsets(1)
    assert (offsets(1) == offsets(2)) == (kind == "constant")


def test_the_rate_at_a_moment() -> None:
    profile = Profile([held(10, 4), Phase(10, 4, 24), held(0, 99), held(10, 8)])
    assert profile.seconds == 30
    assert profile.requests == 40 + 140 + 80
    moments = (0, 9.9, 10, 15, 20, 25, 31)
    assert [profile.rps_at(at_s) for at_s in moments] == pytest.approx([4, 4, 4, 14, 8, 8, 8])
    assert Profile([]).rps_at(1) == 0
