"""The recommender: buckets, decay and bounds, computed by hand from upstream's constants."""

from __future__ import annotations

import pytest

from tidegate.simulate.vpa import (
    CPU_CORES,
    HALF_LIFE_S,
    MEMORY_BYTES,
    Histogram,
    Recommended,
    Recommender,
    recommend,
)

DAY_S = 86_400.0


def test_buckets_are_those_of_upstream() -> None:
    """0 to 10 m, then each wider by 5 %: 10 m to 20.5 m, to 31.525 m."""
    assert [CPU_CORES.start(bucket) for bucket in range(4)] == pytest.approx([0.0, 0.01, 0.0205, 0.031525])
    assert [CPU_CORES.find(value) for value in (0.0, 0.0099, 0.01, 0.02, 0.021, 5000.0)] == [
        0,
        0,
        1,
        1,
        2,
        175,
    ]
    assert (CPU_CORES.count, MEMORY_BYTES.count) == (176, 176)


def test_a_percentile_is_the_end_of_its_bucket() -> None:
    histogram = Histogram(CPU_CORES)
    for _ in range(9):
        histogram.add(0.005, 1.0, 0.0)
    histogram.add(0.025, 1.0, 0.0)
    assert histogram.percentile(0.9) == pytest.approx(0.01)
    assert histogram.percentile(0.91) == pytest.approx(0.031525)
    assert Histogram(CPU_CORES).percentile(0.9) == 0.0


def test_after_a_half_life_one_new_sample_is_worth_two_old_ones() -> None:
    histogram = Histogram(CPU_CORES)
    histogram.add(0.005, 1.0, 0.0)
    histogram.add(0.005, 1.0, 0.0)
    histogram.add(0.025, 1.0, HALF_LIFE_S)
    assert histogram.percentile(0.5) == pytest.approx(0.01)
    assert histogram.percentile(0.51) == pytest.approx(0.031525)


def test_a_long_time_makes_old_samples_nothing() -> None:
    histogram = Histogram(CPU_CORES)
    histogram.add(5.0, 1.0, 0.0)
    histogram.add(0.005, 1.0, 200 * HALF_LIFE_S)
    assert histogram.percentile(1.0) == pytest.approx(0.01)


def test_the_bounds_of_a_day_by_hand() -> None:
    """One day of samples every minute, all 100 m: the bucket ends at 0.1 * (1 + what 5 % makes of it)."""
    found = recommend((60.0 * minute, 0.1) for minute in range(1441))
    base_m = int(CPU_CORES.start(CPU_CORES.find(0.1) + 1) * 1000)
    target_m = base_m + int(base_m * 0.15)
    assert found.target.cpu_m == target_m
    assert found.upper.cpu_m == target_m * 2  # a day of confidence: times 1 + 1/1
    assert found.lower.cpu_m == int(target_m * 1.001**-2)


def test_little_history_makes_the_bounds_wide() -> None:
    known = Recommender()
    for minute in range(6):
        known.add_cpu(0.5, 60.0 * minute)
    confidence = 5 / 1440
    assert known.confidence == pytest.approx(confidence)
    found, target_m = known.recommended(), known.recommended().target.cpu_m
    assert found.upper.cpu_m == int(target_m * (1 + 1 / confidence))
    assert found.lower.cpu_m == int(target_m * (1 + 0.001 / confidence) ** -2)


def test_memory_counts_once_a_day_by_its_peak() -> None:
    known = Recommender()
    for t_s, used in ((0.0, 3e8), (3600.0, 9e8), (7200.0, 5e8), (DAY_S, 4e8)):
        known.add_memory(used, t_s)
    assert known.memory.percentile(1.0) == MEMORY_BYTES.start(MEMORY_BYTES.find(9e8) + 1)
    assert len([weight for weight in known.memory.weights.values() if weight]) == 2
    known.add_memory(9e9, 10.0)
    assert known.memory.percentile(1.0) < 1e9, "an outdated sample is ignored"


def test_the_least_is_shared_by_the_containers() -> None:
    empty = recommend((), containers=2)
    assert empty.target == Recommended(12, 125 * 1024 * 1024)


def test_no_history_has_no_upper_bound() -> None:
    assert recommend([(0.0, 0.5)]).upper.cpu_m == 2**63 - 1
    assert recommend([(0.0, 0.5)]).lower.cpu_m == 25
