from __future__ import annotations

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.load.schedule import Arrivals, Schedule

KINDS: tuple[Arrivals, ...] = ("poisson", "constant")
rates = st.floats(0.01, 200)
seeds = st.integers(0, 2**32)


def starts(kind: Arrivals, rate_per_s: float, seed: int, count: int, start_s: float = 0.0) -> list[float]:
    schedule = Schedule(rate_per_s=rate_per_s, arrivals=kind, seed=seed, start_s=start_s)
    return [schedule.take() for _ in range(count)]


@given(st.sampled_from(KINDS), rates, seeds, st.floats(0, 1e6))
def test_starts_run_forward_from_the_beginning(
    kind: Arrivals, rate: float, seed: int, start_s: float
) -> None:
    planned = starts(kind, rate, seed, 50, start_s)
    assert planned[0] >= start_s
    assert planned == sorted(planned)


@given(st.sampled_from(KINDS), rates, seeds)
def test_the_same_seed_plans_the_same_starts(kind: Arrivals, rate: float, seed: int) -> None:
    assert starts(kind, rate, seed, 20) == starts(kind, rate, seed, 20)
    assert starts(kind, rate, seed, 20) != starts(kind, rate, seed + 1, 20)


@given(rates, seeds)
def test_constant_starts_stay_within_a_tenth_of_their_beat(rate: float, seed: int) -> None:
    planned = starts("constant", rate, seed, 1000)
    interval_s = 1 / rate
    # The beat's phase lies within every start's tolerance, however long the schedule runs.
    phases = [start - count * interval_s for count, start in enumerate(planned)]
    assert max(phases) - min(phases) <= 0.2 * interval_s * (1 + 1e-6)


def test_poisson_gaps_have_the_mean_and_the_spread_of_independent_arrivals() -> None:
    planned = starts("poisson", 5.0, 7, 20_000)
    gaps = [after - before for before, after in itertools.pairwise(planned)]
    # For exponential gaps both equal 1 / rate; at 20,000 draws 4 standard errors are 3 %.
    assert statistics.mean(gaps) == pytest.approx(0.2, rel=0.03)
    assert statistics.stdev(gaps) == pytest.approx(0.2, rel=0.04)


def test_users_of_one_run_do_not_beat_in_step() -> None:
    firsts = [starts("constant", 1.0, seed, 1)[0] for seed in range(200)]
    assert 0.3 < statistics.mean(firsts) < 0.8
    assert max(firsts) - min(firsts) > 0.7


@given(st.sampled_from(KINDS), seeds, st.floats(0, 100))
def test_dropping_skips_exactly_what_has_passed(kind: Arrivals, seed: int, now_s: float) -> None:
    planned = starts(kind, 3.0, seed, 1000)
    schedule = Schedule(rate_per_s=3.0, arrivals=kind, seed=seed, start_s=0.0)
    dropped = schedule.drop_until(now_s)
    assert dropped == sum(start <= now_s for start in planned)
    assert schedule.take() == planned[dropped]


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_must_be_above_zero(rate: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Schedule(rate_per_s=rate, arrivals="constant", seed=1, start_s=0.0)
