from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest
from support.synthetic_run import SLO, T0, Shape, build_run, request_rows

from tidegate.models import Slo
from tidegate.run import (
    RunReader,
    latency_series,
    latency_summary,
    load_series,
    new_run,
    totals,
    with_latency,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunReader:
    return RunReader(build_run(tmp_path_factory.mktemp("run")))


ROWS = list(request_rows(Shape()))


def test_every_second_is_there_and_adds_up(run: RunReader) -> None:
    series = load_series(run)
    offered = Counter(math.floor(row.intended_start_s) for row in ROWS)
    ended = Counter((math.floor(row.end_s), row.ok) for row in ROWS)
    for t_s, was_offered, ok, failed in series.iter_rows():
        assert (was_offered, ok, failed) == (offered[t_s], ended[t_s, True], ended[t_s, False])
    seconds = series["t_s"].to_list()
    assert seconds == [T0 + i for i in range(len(seconds))]
    assert (series["offered"].sum(), series["ok"].sum(), series["failed"].sum()) == (7600, 7596, 4)
    assert series["offered"].to_list()[:3] == [20, 20, 20]
    assert series["offered"].to_list()[30] == 60


def test_latency_counts_from_the_intended_start(run: RunReader) -> None:
    series = latency_series(run, bucket_s=10.0)
    bucket = sorted(
        (row.end_s - row.intended_start_s) * 1000
        for row in ROWS
        if row.route == "POST /api/v1/orders" and 30 <= row.intended_start_s - T0 < 40
    )
    found = series.filter(t_s=T0 + 30, route_group="orders").row(0, named=True)
    assert found["count"] == len(bucket) == 150
    assert found["p50_ms"] == pytest.approx(bucket[74])
    assert found["p95_ms"] == pytest.approx(bucket[142])
    assert found["p99_ms"] == pytest.approx(bucket[148])
    assert int(series["count"].sum()) == 7600


def test_routes_without_objective_are_other(run: RunReader) -> None:
    slo = Slo(availability_percent=99, latency=SLO.latency[:1])
    groups = with_latency(run.requests(), slo)["route_group"].value_counts().rows()
    assert dict(groups) == {"reads": 5700, "other": 1900}
    none = with_latency(run.requests(), Slo(availability_percent=99))["route_group"]
    assert set(none) == {"other"}


def test_headline_figures(run: RunReader) -> None:
    counted = totals(run)
    assert (counted.requests, counted.failed) == (7600, 4)
    assert counted.availability_percent == pytest.approx(100 * 7596 / 7600)
    by_group = {one.route_group: one for one in latency_summary(run)}
    assert set(by_group) == {"orders", "reads"}
    orders = sorted((row.end_s - row.intended_start_s) * 1000 for row in ROWS if row.method == "POST")
    assert by_group["orders"].p95_ms == pytest.approx(orders[1804])


def test_a_run_without_requests(tmp_path: Path, run: RunReader) -> None:
    empty = RunReader(new_run(tmp_path, run.plan))
    assert (load_series(empty).height, latency_series(empty).height, latency_summary(empty)) == (0, 0, [])
    assert totals(empty).availability_percent is None
    assert load_series(empty).schema == load_series(run).schema
    assert latency_series(empty).schema == latency_series(run).schema
