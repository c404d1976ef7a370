from __future__ import annotations

from collections.abc import Collection

import polars as pl
import pytest

from tidegate.models import LatencyObjective, Outcome, Slo
from tidegate.run import REQUEST_SCHEMA, RequestRow
from tidegate.verdict.requests import availability, fewest_for, latency
from tidegate.verdict.soundness import Doubt

HELD, NOT_HELD, COULD_NOT_TELL = Outcome.HELD, Outcome.NOT_HELD, Outcome.COULD_NOT_TELL


def requests(*statuses: int, took_s: float = 0.125) -> pl.DataFrame:
    rows = [
        RequestRow(0.0, 0.0, took_s, "GET", "GET /x", status, status == 200, None, None, None, 1, 0)
        for status in statuses
    ]
    return pl.DataFrame(rows, schema=REQUEST_SCHEMA, orient="row")


def available(frame: pl.DataFrame, percent: float, doubted: Collection[Doubt] = ()) -> Outcome:
    return availability(frame, Slo(availability_percent=percent, min_requests=10), doubted).outcome


# The share is exactly the objective, and percent * count is above it in floating point.
@pytest.mark.parametrize(
    ("percent", "count", "failed"), [(90.4, 2750, 264), (92.4, 2750, 209), (99.9, 1000, 1)]
)
def test_an_objective_met_exactly_is_held(percent: float, count: int, failed: int) -> None:
    assert available(requests(*[200] * (count - failed), *[500] * failed), percent) is HELD
    assert available(requests(*[200] * (count - failed - 1), *[500] * (failed + 1)), percent) is NOT_HELD


def test_what_only_an_unsound_generator_gave_up_is_no_violation() -> None:
    given_up, refused = requests(*[200] * 98, 0, 0), requests(*[200] * 98, 500, 500)
    assert available(given_up, 99) is NOT_HELD
    assert available(given_up, 99, {Doubt.GENERATOR}) is COULD_NOT_TELL
    assert available(refused, 99, {Doubt.GENERATOR}) is NOT_HELD


def test_too_few_requests_tell_nothing_even_if_all_failed() -> None:
    check = availability(requests(*[500] * 9), Slo(availability_percent=99, min_requests=10), ())
    assert check.outcome is COULD_NOT_TELL
    assert "at least 10 are needed" in check.detail
    none = availability(requests(), Slo(availability_percent=99, min_requests=10), ())
    assert (none.outcome, none.measured, none.spread) == (COULD_NOT_TELL, None, None)


@pytest.mark.parametrize(("percentile", "needed"), [(50, 2), (90, 10), (95, 20), (99, 100), (99.9, 1000)])
def test_a_percentile_needs_one_value_above_it(percentile: float, needed: int) -> None:
    assert fewest_for(percentile) == needed
    objective = LatencyObjective(
        route_group="x", routes=("GET /x",), percentile=percentile, threshold_ms=1000
    )
    slo = Slo(availability_percent=99, min_requests=1, latency=(objective,))
    assert next(latency(requests(*[200] * needed), slo, ())).outcome is HELD
    assert next(latency(requests(*[200] * (needed - 1)), slo, ())).outcome is COULD_NOT_TELL


def test_a_threshold_met_exactly_is_held() -> None:
    for threshold_ms, expected in ((125.0, HELD), (124.999, NOT_HELD)):
        objective = LatencyObjective(
            route_group="x", routes=("GET /x",), percentile=50, threshold_ms=threshold_ms
        )
        slo = Slo(availability_percent=99, min_requests=1, latency=(objective,))
        assert next(latency(requests(200, 200, 500), slo, ())).outcome is expected
