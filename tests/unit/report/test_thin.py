from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.report.thin import bucket_for, extremes, steps

values = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=400)


@given(values, st.integers(4, 60))
def test_thinning_keeps_the_extremes_and_the_order(y: list[float], most: int) -> None:
    x = [float(i) for i in range(len(y))]
    thin = extremes(x, y, most)
    assert len(thin.x) == len(thin.y) <= max(most, 2)
    assert list(thin.x) == sorted(set(thin.x))
    kept = [value for value in thin.y if value is not None]
    assert max(kept) == pytest.approx(max(y), abs=0.06)
    assert min(kept) == pytest.approx(min(y), abs=0.06)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=100))
def test_steps_say_the_same_with_fewer_points(y: list[int]) -> None:
    thin = steps([float(i) for i in range(len(y))], y)
    known = dict(zip(thin.x, thin.y, strict=True))
    now: float | None = None
    for i, value in enumerate(y):
        now = known.get(float(i), now)
        assert now == value
    assert all(before != after for before, after in zip(thin.y, thin.y[1:], strict=False))


@pytest.mark.parametrize(
    ("span_s", "least_s", "most", "bucket_s"),
    [
        (300, 1, 900, 1),
        (900, 1, 900, 1),
        (901, 1, 900, 2),
        (300, 5, 450, 5),
        (86_400, 1, 900, 120),
        (1e7, 1, 900, 14400),
    ],
)
def test_buckets_are_round(span_s: float, least_s: float, most: int, bucket_s: float) -> None:
    assert bucket_for(span_s, least_s, most) == bucket_s
