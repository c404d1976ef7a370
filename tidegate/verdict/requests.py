"""The checks that rest on client requests: availability and latency."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction

import polars as pl

from tidegate.models import Check, LatencyObjective, Outcome, Slo
from tidegate.run import nearest_rank, with_latency
from tidegate.verdict.soundness import Doubt
from tidegate.verdict.stats import percentile_interval, wilson

HELD, NOT_HELD, COULD_NOT_TELL = Outcome.HELD, Outcome.NOT_HELD, Outcome.COULD_NOT_TELL


def _enough(requests: int, failed: int, slo: Slo) -> bool:
    """Whether the share of good requests is at least the objective, in exact arithmetic."""
    return 100 * (requests - failed) >= Fraction(str(slo.availability_percent)) * requests


def availability(requests: pl.DataFrame, slo: Slo, doubted: Collection[Doubt]) -> Check:
    """Judge the share of requests that were answered well.

    Lost requests or an unsound generator could hide failures, so "held" needs neither. "Not held" stands
    unless the generator is unsound and only its own giving up (no HTTP status) makes the difference.
    """
    count, failed = requests.height, requests.height - int(requests["ok"].sum())
    measured = 100 * (count - failed) / count if count else None
    low, high = wilson(count - failed, count) if count else (0.0, 1.0)
    answered_badly = requests.filter(~pl.col("ok") & (pl.col("status") > 0)).height
    if count < slo.min_requests:
        outcome = COULD_NOT_TELL
    elif _enough(count, failed, slo):
        outcome = COULD_NOT_TELL if {Doubt.REQUESTS, Doubt.GENERATOR} & set(doubted) else HELD
    else:
        own_doing = Doubt.GENERATOR in doubted and _enough(count, answered_badly, slo)
        outcome = COULD_NOT_TELL if own_doing else NOT_HELD
    told = f"{failed} of {count} requests failed" if count else "No request was recorded in the load window"
    few = f"; at least {slo.min_requests} are needed" if count < slo.min_requests else ""
    return Check(
        name="availability",
        outcome=outcome,
        measured=measured,
        threshold=slo.availability_percent,
        unit="%",
        detail=f"{told}{few}.",
        spread=(100 * low, 100 * high) if count else None,
        count=count,
    )


def fewest_for(percentile: float) -> int:
    """Return how many values a percentile needs for one of them to be expected above it."""
    return int(-(-100 // (100 - Fraction(str(percentile)))))


def latency(requests: pl.DataFrame, slo: Slo, doubted: Collection[Doubt]) -> Iterator[Check]:
    """Judge each latency objective, from intended start to end, over all requests of its group."""
    timed = with_latency(requests, slo)
    for objective in slo.latency:
        # To whole microseconds: unix seconds in a double are exact to a quarter of one.
        values = timed.filter(pl.col("route_group") == objective.route_group)["latency_ms"].round(3).sort()
        yield _latency(objective, values.to_list(), requests.height >= slo.min_requests, doubted)


def _latency(
    objective: LatencyObjective, ordered: list[float], enough: bool, doubted: Collection[Doubt]
) -> Check:
    count, needed = len(ordered), fewest_for(objective.percentile)
    measured = nearest_rank(ordered, objective.percentile) if ordered else None
    if measured is None or not enough or count < needed or Doubt.GENERATOR in doubted:
        # A generator that is late makes figures too long, and offers less load, which makes them too short.
        outcome = COULD_NOT_TELL
    elif measured <= objective.threshold_ms:
        outcome = COULD_NOT_TELL if Doubt.REQUESTS in doubted else HELD
    else:
        outcome = NOT_HELD
    detail = (
        f"{objective.percentile:g} % of {count} requests ended within {measured:.0f} ms of the intended start"
        if measured is not None
        else f"No request of group {objective.route_group} was recorded in the load window"
    )
    few = f"; at least {needed} are needed for this percentile" if 0 < count < needed else ""
    return Check(
        name=f"latency {objective.route_group} p{objective.percentile:g}",
        outcome=outcome,
        measured=measured,
        threshold=objective.threshold_ms,
        unit="ms",
        detail=f"{detail}{few}.",
        spread=percentile_interval(ordered, objective.percentile) if ordered else None,
        count=count,
    )
