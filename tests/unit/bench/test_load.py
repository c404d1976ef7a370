from __future__ import annotations

import json

import pytest

from bench.load import SATURATED, Measured, parse_vegeta, parse_wrk
from tidegate.errors import TidegateError

_WRK = (
    "Running 2s test @ http://127.0.0.1:8000/\n  1 threads and 16 connections\n"
    'tidegate-json {"requests": 1000, "duration_us": 2000000, "connect": 1, "read": 2, "write": 0, '
    '"status": 10, "timeout": 3, "mean_us": 1500.0, "p50_us": 1000.0, "p95_us": 4000.0, "p99_us": 9000.0, '
    '"max_us": 20000.0}\n'
)


def _report(**changes: object) -> str:
    report = {
        "latencies": {
            "total": 1,
            "mean": 2_000_000,
            "50th": 1_000_000,
            "90th": 3_000_000,
            "95th": 4_000_000,
            "99th": 5_000_000,
            "max": 6_000_000,
            "min": 1,
        },
        "requests": 400,
        "throughput": 99.5,
        "success": 0.995,
        "status_codes": {"200": 398, "503": 2},
    }
    return json.dumps(report | changes)


def test_wrk_counts_only_successes_as_throughput_and_everything_else_as_an_error() -> None:
    measured = parse_wrk(_WRK)

    assert measured.requests == 1000
    assert measured.rps == pytest.approx(495.0)
    assert measured.errors == 16
    assert (measured.p50_ms, measured.p99_ms, measured.max_ms) == (1.0, 9.0, 20.0)


def test_output_of_wrk_without_a_result_is_an_error_with_its_last_words() -> None:
    with pytest.raises(TidegateError, match="unable to connect"):
        parse_wrk("unable to connect to 127.0.0.1:1 Connection refused\n")


def test_vegeta_tells_nanoseconds_and_a_share_of_successes() -> None:
    measured = parse_vegeta(_report())

    assert (measured.requests, measured.errors, measured.rps) == (400, 2, 99.5)
    assert (measured.p50_ms, measured.p95_ms, measured.p99_ms) == (1.0, 4.0, 5.0)
    assert measured.statuses == {"200": 398, "503": 2}


def test_a_share_that_floats_just_below_counts_whole_requests() -> None:
    assert parse_vegeta(_report(requests=3, success=0.6666666666666666)).errors == 1


@pytest.mark.parametrize("report", ["", "not JSON", '{"requests": 1}'])
def test_what_is_no_report_of_vegeta_is_an_error(report: str) -> None:
    with pytest.raises(TidegateError, match="no report"):
        parse_vegeta(report)


@pytest.mark.parametrize(("share", "discarded"), [(SATURATED - 0.01, False), (SATURATED, True)])
def test_a_run_whose_generator_used_its_core_up_is_discarded(share: float, discarded: bool) -> None:
    measured = Measured(1, 1.0, 0, 1.0, 1.0, 1.0, 1.0, 1.0, generator_share=share)

    assert measured.sample()["discarded"] is discarded
