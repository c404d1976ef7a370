from __future__ import annotations

import itertools
import math
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.services.fraud import (
    HISTORY_LIMIT,
    OPERATIONS_PER_RESAMPLE,
    RESAMPLES_AT_WEIGHT_ONE,
    PlacedOrder,
    assess,
    product_bits,
    resamples,
)

DAY_S = 86_400.0
START_S = 1_750_000_000.0
SMALL = 0.001

orders = st.builds(
    PlacedOrder,
    placed_at_s=st.floats(START_S, START_S + 400 * DAY_S),
    amount_cents=st.integers(1, 10_000_000),
    products=st.lists(st.integers(1, 600), min_size=1, max_size=5).map(product_bits),
)


def regular(count: int = HISTORY_LIMIT, *, every_s: float = DAY_S) -> list[PlacedOrder]:
    return [
        PlacedOrder(START_S + n * every_s, 4000 + 700 * (n % 5), product_bits([n % 7 + 1, n % 3 + 20]))
        for n in range(count)
    ]


def following(history: list[PlacedOrder], amount_cents: int, *, after_s: float = DAY_S) -> PlacedOrder:
    return PlacedOrder(history[-1].placed_at_s + after_s, amount_cents, product_bits([3, 21]))


@settings(max_examples=30, deadline=None)
@given(st.lists(orders, max_size=80), orders)
def test_a_score_is_a_probability_and_the_same_each_time(
    history: list[PlacedOrder], order: PlacedOrder
) -> None:
    first = assess(history, order, SMALL)
    assert 0 <= first.score <= 1
    assert 0 <= first.spread <= 0.5
    assert first.rejected == (first.score >= 0.5)
    assert first == assess(list(reversed(history)), order, SMALL)


def test_another_interpreter_comes_to_the_same_score() -> None:
    script = (
        "from app.services.fraud import *;"
        "h=[PlacedOrder(1.75e9+n*3600.0,4000+n,1<<(n%9)) for n in range(64)];"
        "print(repr(assess(h,PlacedOrder(1.75e9+64*3600,9000,6),0.002)))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("0", "1", "42")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("weight", [0.001, 0.002, 0.004, 0.008])
def test_the_work_is_in_proportion_to_the_weight(weight: float) -> None:
    history = regular()
    order = following(history, 5000)
    expected = round(weight * RESAMPLES_AT_WEIGHT_ONE) * OPERATIONS_PER_RESAMPLE
    assert assess(history, order, weight).operations == expected
    assert assess(history, order, 2 * weight).operations == 2 * expected


def test_the_work_does_not_depend_on_how_much_history_there_is() -> None:
    short, long = regular(3), regular(500)
    order = following(long, 5000)
    assert assess(short, order, SMALL).operations == assess(long, order, SMALL).operations


def test_only_the_latest_orders_count() -> None:
    history = regular(HISTORY_LIMIT + 40)
    order = following(history, 5000)
    assert assess(history, order, SMALL) == assess(history[-HISTORY_LIMIT:], order, SMALL)


def test_the_usual_order_passes() -> None:
    history = regular()
    assessment = assess(history, following(history, 5200), 0.005)
    assert not assessment.rejected
    assert assessment.score < 0.2


def test_an_amount_far_from_the_usual_is_rejected_and_says_so() -> None:
    history = regular()
    assessment = assess(history, following(history, 5200 * 40), 0.005)
    assert assessment.rejected
    assert assessment.reasons[0] == "amount_unusual"


def test_a_larger_amount_never_looks_safer() -> None:
    history = regular()
    # The seed of the resampling depends on the order, so equal scores may differ in their noise.
    scores = [assess(history, following(history, 5200 * factor), 0.01).score for factor in (1, 3, 9, 27, 81)]
    assert all(later > earlier - 0.02 for earlier, later in itertools.pairwise(scores))
    assert scores[-1] > scores[0] + 0.3


def test_haste_raises_the_score_but_does_not_condemn_alone() -> None:
    calm, hasty = regular(), regular(every_s=1.0)
    slow = assess(calm, following(calm, 5200), 0.005)
    fast = assess(hasty, following(hasty, 5200, after_s=1), 0.005)
    assert slow.score < fast.score < 0.5
    assert "velocity_minute" in fast.reasons


def test_no_history_is_no_reason_to_reject() -> None:
    assessment = assess([], following(regular(), 5000), 1.0)
    assert not assessment.rejected
    assert assessment.operations == 1


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan])
def test_a_weight_must_be_positive(weight: float) -> None:
    with pytest.raises(ValueError, match="weight"):
        assess(regular(), following(regular(), 5000), weight)


def test_an_amount_must_be_positive() -> None:
    with pytest.raises(ValueError, match="amounts"):
        assess(regular(), following(regular(), 0), SMALL)


def test_there_is_always_one_resample() -> None:
    assert resamples(1e-9) == 1


@given(st.lists(st.integers(1, 500)), st.lists(st.integers(1, 500)))
def test_product_bits_are_a_set(left: list[int], right: list[int]) -> None:
    common = product_bits(left) & product_bits(right)
    assert common.bit_count() == len(set(left) & set(right))
