from __future__ import annotations

import math
import random
from itertools import pairwise
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.load.traces.lines import LONGEST
from tidegate.simulate.world.arrivals import arrivals, spike, steps
from tidegate.simulate.world.traces import Bin, read_trace


def write(folder: Path, text: str, name: str = "trace.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_counts_by_minute(tmp_path: Path) -> None:
    path = write(tmp_path, "1998-06-29 22:00,30\n1998-06-29 22:01,60\n")
    assert read_trace([path]) == [Bin(0.0, 60.0, 30.0), Bin(60.0, 60.0, 60.0)]


def test_a_minute_in_two_files_is_summed(tmp_path: Path) -> None:
    first = write(tmp_path, "1998-06-29 22:00,30\n1998-06-29 22:01,5\n", "a.csv")
    second = write(tmp_path, "1998-06-29 22:01,7\n", "b.csv")
    assert [one.count for one in read_trace([first, second])] == [30.0, 12.0]


def test_bins_with_a_header_have_the_width_of_their_distance(tmp_path: Path) -> None:
    path = write(tmp_path, "timestamp,value\n2014-04-10 00:04:00,94.0\n2014-04-10 00:09:00,56.0\n")
    assert read_trace([path]) == [Bin(0.0, 300.0, 94.0), Bin(300.0, 300.0, 56.0)]


def test_single_arrivals(tmp_path: Path) -> None:
    rows = "TIMESTAMP,ContextTokens\n2023-11-16 18:17:03.9800000,4808\n2023-11-16 18:17:04.0300000,3180\n"
    found = read_trace([write(tmp_path, rows)])
    assert [one.width_s for one in found] == [0.0, 0.0]
    assert found[1].start_s == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1998-06-29 22:00,30\nyesterday,3\n", r"'yesterday' is no time .*trace.csv:2"),
        ("0,1\n60,-3\n", r"'-3' is no number of requests .*trace.csv:2"),
        ("0,1\n60\n", r"nothing is no number of requests .*trace.csv:2"),
        ("0,nan\n", "is no number of requests"),
        ("0,1\n" + "9" * (LONGEST + 1) + "\n", r"the line has more than .*trace.csv:2"),
        ("", "the trace is empty"),
        ("0,1e13\n", "is no number of requests"),
        ("0,1\n1e9,1\n", "spans 11574 days"),
        ("time,count\n", "the trace has no entry"),
    ],
)
def test_bad_traces_name_the_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(TidegateError, match=told):
        read_trace([write(tmp_path, text)])


def test_a_trace_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="cannot read the trace"):
        read_trace([tmp_path / "none.csv"])


def test_arrivals_are_in_order_and_as_many_as_counted() -> None:
    bins = [Bin(0.0, 60.0, 100.0), Bin(60.0, 60.0, 0.0), Bin(120.0, 60.0, 50.0), Bin(200.0, 0.0, 1.0)]
    moments = list(arrivals(bins, random.Random(1)))
    assert moments == sorted(moments)
    assert len(moments) == 151
    assert not [moment for moment in moments if 60 <= moment < 120]
    assert moments[-1] == 200.0


def test_arrivals_are_spread_over_their_bin() -> None:
    moments = list(arrivals([Bin(10.0, 20.0, 4000.0)], random.Random(1)))
    halves = sum(moment < 20.0 for moment in moments)
    assert 10.0 <= moments[0] <= moments[-1] < 30.0
    assert 1880 < halves < 2120
    gaps = sorted(after - before for before, after in pairwise(moments))
    assert gaps[len(gaps) // 2] == pytest.approx(0.005 * math.log(2), rel=0.1)  # as of a Poisson process


def test_a_bin_of_any_count_needs_no_memory() -> None:
    assert 0.0 <= next(arrivals([Bin(0.0, 60.0, 1e12)], random.Random(1))) < 1e-6


def test_a_fraction_of_a_request_is_left_to_chance() -> None:
    found = len(list(arrivals([Bin(0.0, 1.0, 1.0)] * 10_000, random.Random(1), scale=0.25)))
    assert 2300 < found < 2700


def test_a_spike_has_its_rates() -> None:
    bins = spike(20, 200)
    assert sum(one.count for one in bins) == pytest.approx(300 * 20 + 120 * 200)
    assert [one.start_s for one in steps(((2.5, 4.0),))] == [0.0, 1.0, 2.0]
