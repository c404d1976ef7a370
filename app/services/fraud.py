"""The fraud check: how likely is an order not the account's own?

A logistic model scores an order by what sets it apart from the account's history. The history is one
sample of how the account behaves, so the model scores many resamples of it (the bootstrap) and takes the
mean: one odd order in the past cannot decide the outcome alone. The number of resamples is the cost, in
proportion to `weight`; each does the same amount of work.

Pure functions of their arguments: the same history, order and weight give the same assessment anywhere.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

HISTORY_LIMIT = 64
"""How many of the latest orders describe an account."""

RESAMPLES_AT_WEIGHT_ONE = 24_000
"""So many took 1.8 s of processor time in CPython 3.11 on one shared core of an EPYC server."""

_SAMPLE_SIZE = 32
_PAIRS = _SAMPLE_SIZE * (_SAMPLE_SIZE - 1) // 2
OPERATIONS_PER_RESAMPLE = _PAIRS + 2 * _SAMPLE_SIZE
"""Pairs compared plus orders visited twice (velocity and amount, link to the new order)."""

THRESHOLD = 0.5
"""Mean score from which an order is rejected."""

_MINUTE_S = 60.0
_HOUR_S = 3600.0
_CLOSE_S = 6 * _HOUR_S
_ALIKE_LOG = math.log(1.15)
_LARGEST_Z = 4.0

# The model. Each feature lies in [0, 1] but for the amount's, which lies in [-1, 1]; a coefficient is the
# most a feature can add to the log-odds. Velocity alone (an account that orders every second) stays below
# the threshold, and so does an amount of twice the usual: it takes both, or an extreme one.
_INTERCEPT = -4.2
_COEFFICIENTS = {
    "amount_unusual": 5.2,
    "velocity_minute": 1.2,
    "velocity_hour": 0.8,
    "graph_dense": 0.7,
    "order_unlinked": 0.9,
}
_REASON_SHARE = 0.5
"""A feature is named as a reason when its mean reaches this share of its range."""


@dataclass(frozen=True, slots=True)
class PlacedOrder:
    """What the model knows of an order.

    Attributes:
        placed_at_s: Unix time.
        amount_cents: the order's worth; positive.
        products: a set of product ids as bits; see `product_bits`.
    """

    placed_at_s: float
    amount_cents: int
    products: int


@dataclass(frozen=True, slots=True)
class FraudAssessment:
    """The outcome.

    Attributes:
        score: mean probability of fraud over the resamples, 0 to 1.
        spread: its standard deviation over the resamples.
        rejected: whether the score reaches `THRESHOLD`.
        reasons: the features that speak against the order, strongest first.
        operations: elementary steps done, the measure of cost that no clock blurs.
    """

    score: float
    spread: float
    rejected: bool
    reasons: tuple[str, ...]
    operations: int


def product_bits(product_ids: Sequence[int]) -> int:
    """A set of products as an integer: intersection is `&`, its size `bit_count`.

    Ids are folded onto 512 bits, so two products may share a bit in a large catalogue; for the model that
    only means that they count as alike.
    """
    bits = 0
    for product_id in product_ids:
        bits |= 1 << (product_id % 512)
    return bits


def resamples(weight: float) -> int:
    """How many resamples `weight` buys; at least one."""
    return max(1, round(RESAMPLES_AT_WEIGHT_ONE * weight))


def assess(history: Sequence[PlacedOrder], order: PlacedOrder, weight: float) -> FraudAssessment:
    """Judge `order` by the account's `history`.

    Args:
        history: the account's earlier orders, in any order; only the latest `HISTORY_LIMIT` count.
        order: the one to judge.
        weight: the cost; 1.0 is about 1.8 s of processor time. More resamples, a steadier mean.

    Raises:
        ValueError: the weight or an amount is not positive.
    """
    if not weight > 0:
        raise ValueError("weight must be positive")
    if order.amount_cents <= 0 or any(past.amount_cents <= 0 for past in history):
        raise ValueError("amounts must be positive")
    known = sorted(history, key=lambda past: (past.placed_at_s, past.amount_cents, past.products))
    known = known[-HISTORY_LIMIT:]
    if not known:
        # Nothing to compare with: the model's own base rate.
        return FraudAssessment(_logistic(_INTERCEPT), 0.0, rejected=False, reasons=(), operations=1)

    rounds = resamples(weight)
    draw = random.Random(_seed(known, order)).random  # noqa: S311 - resampling, no secret
    points = [(past.placed_at_s, math.log(past.amount_cents), past.products) for past in known]
    new = (order.placed_at_s, math.log(order.amount_cents), order.products)
    size = len(points)
    totals = [0.0] * len(_COEFFICIENTS)
    total = squares = 0.0
    for _ in range(rounds):
        sample = [points[int(draw() * size)] for _ in range(_SAMPLE_SIZE)]
        features = (*_amount_and_velocity(sample, new), *_graph(sample, new))
        score = _logistic(
            _INTERCEPT + sum(c * f for c, f in zip(_COEFFICIENTS.values(), features, strict=True))
        )
        total += score
        squares += score * score
        for i, feature in enumerate(features):
            totals[i] += feature

    mean = total / rounds
    return FraudAssessment(
        score=mean,
        spread=math.sqrt(max(0.0, squares / rounds - mean * mean)),
        rejected=mean >= THRESHOLD,
        reasons=_reasons([value / rounds for value in totals]),
        operations=rounds * OPERATIONS_PER_RESAMPLE,
    )


_Point = tuple[float, float, int]


def _amount_and_velocity(sample: list[_Point], new: _Point) -> tuple[float, float, float]:
    """How far the amount lies from the usual, and how fast orders came of late."""
    now_s, amount, _ = new
    mean = sum(point[1] for point in sample) / _SAMPLE_SIZE
    variance = sum((point[1] - mean) ** 2 for point in sample) / _SAMPLE_SIZE
    # A floor on the deviation: an account that always paid the same is not alarmed by a little more.
    z = (amount - mean) / max(math.sqrt(variance), 0.5)
    last_minute = last_hour = 0
    for placed_s, _, _ in sample:
        age_s = now_s - placed_s
        if 0 <= age_s < _HOUR_S:
            last_hour += 1
            if age_s < _MINUTE_S:
                last_minute += 1
    return (
        max(-_LARGEST_Z, min(_LARGEST_Z, z)) / _LARGEST_Z,
        last_minute / _SAMPLE_SIZE,
        last_hour / _SAMPLE_SIZE,
    )


def _graph(sample: list[_Point], new: _Point) -> tuple[float, float]:
    """Link orders that are close in time, alike in amount, or share products (two of the three).

    A dense graph of one's own orders is a script's work; a new order that links to none of the earlier
    ones is a stranger's.
    """
    edges = 0
    for i in range(1, _SAMPLE_SIZE):
        placed_s, amount, products = sample[i]
        for other_s, other_amount, other_products in sample[:i]:
            alike = -_ALIKE_LOG < amount - other_amount < _ALIKE_LOG
            close = -_CLOSE_S < placed_s - other_s < _CLOSE_S
            if (alike and close) or ((alike or close) and products & other_products):
                edges += 1
    placed_s, amount, products = new
    links = 0
    for other_s, other_amount, other_products in sample:
        if (
            -_ALIKE_LOG < amount - other_amount < _ALIKE_LOG
            or placed_s - other_s < _CLOSE_S
            or products & other_products
        ):
            links += 1
    return edges / _PAIRS, 1.0 - links / _SAMPLE_SIZE


def _reasons(means: list[float]) -> tuple[str, ...]:
    named = [
        (coefficient * mean, name)
        for (name, coefficient), mean in zip(_COEFFICIENTS.items(), means, strict=True)
        if mean >= _REASON_SHARE
    ]
    return tuple(name for _, name in sorted(named, reverse=True))


def _seed(history: list[PlacedOrder], order: PlacedOrder) -> int:
    """A seed made from what is judged, so that the outcome needs no outside randomness."""
    text = "|".join(f"{o.placed_at_s:.6f},{o.amount_cents},{o.products:x}" for o in (*history, order))
    return zlib.crc32(text.encode())


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))
