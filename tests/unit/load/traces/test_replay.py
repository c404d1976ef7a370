from __future__ import annotations

from array import array
from pathlib import Path

import pytest
from support.traces import real_or_made

from tidegate.load.offered import Phase, Profile
from tidegate.load.traces import Arrivals, Counts, Trace, read_trace, replay_offsets, replay_phases

BINS = Counts(60.0, [(0.0, 600.0), (180.0, 120.0)])
MOMENTS = Arrivals(array("d", [0.0, 1.0, 5.0]))


def test_bins_are_levels_with_nothing_between() -> None:
    found = [phase for phase in replay_phases(BINS, rate_scale=1, speed=1) if phase.seconds]
    assert found == [Phase(60, 10, 10), Phase(120, 0, 0), Phase(60, 2, 2)]


def test_speed_changes_times_and_scale_changes_rates() -> None:
    found = [phase for phase in replay_phases(BINS, rate_scale=3, speed=60) if phase.seconds]
    assert found == [Phase(1, 30, 30), Phase(2, 0, 0), Phase(1, 6, 6)]


def test_arrivals_come_back_at_their_own_moments() -> None:
    assert list(replay_offsets(MOMENTS, rate_scale=1, speed=1, seed=1)) == [0, 1, 5]
    # Twice as fast at the same rate: half of them. Twice the rate: each once more before the next.
    assert list(replay_offsets(MOMENTS, rate_scale=2, speed=2, seed=1)) == [0, 0.5, 2.5]
    assert list(replay_offsets(MOMENTS, rate_scale=2, speed=1, seed=1)) == [0, 0.5, 1, 3, 5, 5]


def test_arrivals_left_out_are_a_matter_of_the_seed() -> None:
    many = Arrivals(array("d", range(10_000)))
    kept = list(replay_offsets(many, rate_scale=0.25, speed=1, seed=1))
    assert 2300 < len(kept) < 2700  # 2500, four standard deviations of 43
    assert kept == list(replay_offsets(many, rate_scale=0.25, speed=1, seed=1))
    assert kept != list(replay_offsets(many, rate_scale=0.25, speed=1, seed=2))


@pytest.mark.parametrize("name", ["world-cup", "elb", "azure"])
def test_a_replay_offers_as_much_as_the_trace_had(tmp_path: Path, name: str) -> None:
    trace: Trace = read_trace(real_or_made(tmp_path, name))
    whole = Profile(replay_phases(trace, rate_scale=1, speed=1))
    assert whole.requests == pytest.approx(trace.requests)
    faster = Profile(replay_phases(trace, rate_scale=2, speed=60))
    assert faster.requests == pytest.approx(trace.requests / 30)
    assert faster.seconds == pytest.approx(whole.seconds / 60, abs=1)
