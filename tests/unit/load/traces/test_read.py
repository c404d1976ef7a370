from __future__ import annotations

import gzip
import json
import re
import tracemalloc
from pathlib import Path

import pytest
from support.traces import real_or_made

from tidegate.errors import TidegateError
from tidegate.load.traces import Arrivals, Counts, Format, Window, read_trace
from tidegate.load.traces import read as reading


def written(folder: Path, text: str, name: str = "trace") -> Path:
    path = folder / name
    path.write_text(text)
    return path


LOG = """\
127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 2326
::1 - - [10/Oct/2000:13:55:38 -0700] "POST /b HTTP/1.1" 500 - "http://x/" "Mozilla [en] \\"q\\""
127.0.0.1 - a b [10/Oct/2000:20:55:36 +0000] "-" 408 0
"""


def test_a_log_is_counted_by_the_second_in_which_requests_arrived(tmp_path: Path) -> None:
    trace = read_trace([written(tmp_path, LOG)])
    # 13:55:36 seven hours west of Greenwich and 20:55:36 there are one moment.
    assert trace == Counts(1.0, [(0.0, 2.0), (2.0, 1.0)])


def test_a_log_may_be_packed(tmp_path: Path) -> None:
    path = tmp_path / "access.log.1"
    path.write_bytes(gzip.compress(LOG.encode()))
    assert read_trace([path], "clf").requests == 3


def test_counts_with_and_without_a_header(tmp_path: Path) -> None:
    rows = "2020-01-31 10:00,5\n2020-01-31 10:02,7\n\n2020-01-31 10:01,0\n"
    wanted = Counts(60.0, [(0.0, 5.0), (60.0, 0.0), (120.0, 7.0)])
    assert read_trace([written(tmp_path, rows)]) == wanted
    assert read_trace([written(tmp_path, f"time,value\n{rows}")]) == wanted
    assert read_trace([written(tmp_path, "\ufefftime,value\r\n" + rows.replace("\n", "\r\n"))]) == wanted


def test_files_of_one_trace_are_added_up(tmp_path: Path) -> None:
    first = written(tmp_path, "60,5\n120,7\n", "a")
    second = written(tmp_path, "120,1\n180,2\n", "b")
    assert read_trace([second, first]) == Counts(60.0, [(0.0, 5.0), (60.0, 8.0), (120.0, 2.0)])


def test_arrivals_keep_their_moments(tmp_path: Path) -> None:
    rows = "2023-11-16 18:17:04.0319600,3180,8\n2023-11-16 18:17:03.9799600,4808,10\n"
    trace = read_trace([written(tmp_path, f"TIMESTAMP,ContextTokens,GeneratedTokens\n{rows}")])
    assert isinstance(trace, Arrivals)
    assert trace.moments_s.tolist() == pytest.approx([0.0, 0.052], abs=1e-6)
    assert read_trace([written(tmp_path, "12.5\n13\n12.75\n")]).requests == 3


def answer(*series: list[tuple[float, str]]) -> str:
    result = [{"metric": {"pod": str(number)}, "values": values} for number, values in enumerate(series)]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": result}}, indent=1)


def test_the_series_of_a_range_query_are_rates_and_are_added_up(tmp_path: Path) -> None:
    text = answer([(100, "2"), (115, "4.5")], [(115, "0.5"), (130, "1")])
    assert read_trace([written(tmp_path, text)]) == Counts(15.0, [(0.0, 30.0), (15.0, 75.0), (30.0, 15.0)])


def test_a_part_of_a_trace(tmp_path: Path) -> None:
    path = written(tmp_path, "0,5\n60,6\n120,7\n180,8\n")
    assert read_trace([path], window=Window(60, 120)) == Counts(60.0, [(0.0, 6.0), (60.0, 7.0)])
    arrivals = read_trace([written(tmp_path, "1\n2\n3\n4\n", "b")], window=Window(1, 2))
    assert isinstance(arrivals, Arrivals)
    assert arrivals.moments_s.tolist() == [0.0, 1.0]
    with pytest.raises(TidegateError, match="no request in the part"):
        read_trace([path], window=Window(600))


@pytest.mark.parametrize(
    ("form", "text", "told"),
    [
        ("auto", "10,5\n20,-1\n", ":2"),
        ("auto", "10,5\n20\n", ":2"),
        ("auto", "10,5\n20,nan\n", ":2"),
        ("auto", "10,5\nyesterday,5\n", ":2"),
        ("auto", "time,count\n", "no entry"),
        ("auto", "", "is empty"),
        ("auto", "<html>\n", ":1"),
        ("auto", "1\n2\nx\n", ":3"),
        ("clf", LOG + "a line of something else\n", ":4"),
        ("clf", LOG + LOG.splitlines()[0].replace("Oct", "Okt") + "\n", ":4"),
        ("clf", LOG.replace("13:55:36 -0700", "13:77:36 -0700"), ":1"),
        ("auto", '{"status": "success",\n "data": }', ":2"),
        ("auto", '{"status": "error", "error": "too many"}', "too many"),
        ("auto", '{"status": "success", "data": {"resultType": "vector", "result": []}}', "range query"),
        ("prometheus", answer([(1, "1"), (2, "NaN")]), r"result\[0\]\.values\[1\]"),
        ("prometheus", answer([(1, "1")], [(2, "x")]), r"result\[1\]\.values\[0\]"),
        ("prometheus", answer([(1, "-3")]), r"values\[0\]"),
        ("arrivals", "9" * 70_000, ":1"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, form: Format, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(TidegateError) as caught:
        read_trace([path], form)
    said = str(caught.value)
    assert str(path) in said
    assert "\n" not in said
    assert re.search(told, said), said


def test_what_is_not_there_or_cut_off(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="cannot read the trace: No such file"):
        read_trace([tmp_path / "none"])
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(LOG.encode() * 100)[:-20])
    with pytest.raises(TidegateError, match=r"torn.gz:\d+"):
        read_trace([torn], "clf")
    with pytest.raises(TidegateError, match="no trace was given"):
        read_trace([])
    with pytest.raises(TidegateError, match="different formats: clf, counts"):
        read_trace([written(tmp_path, "1,2\n", "a"), written(tmp_path, LOG, "b")])


def test_a_huge_log_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "access.log.gz"
    line = b'127.0.0.1 - - [10/Oct/2000:13:55:%02d -0700] "GET / HTTP/1.0" 200 2326\n'
    with gzip.open(path, "wb", compresslevel=1) as file:
        for second in range(60):
            file.write(line % second * 1000)  # 4.3 MB in all
    tracemalloc.start()
    try:
        trace = read_trace([path])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert trace.requests == 60_000
    assert most < 1_000_000


def test_more_than_memory_allows_is_refused_at_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_BINS", 3)
    monkeypatch.setattr(reading, "MOST_ARRIVALS", 3)
    with pytest.raises(TidegateError, match=r"more than 3 bins.*trace:4"):
        read_trace([written(tmp_path, "1,1\n2,1\n3,1\n4,1\n5,1\n")])
    with pytest.raises(TidegateError, match=r"more than 3 arrivals.*trace:4"):
        read_trace([written(tmp_path, "1\n2\n3\n4\n5\n")])


def test_real_traces_or_such_as_they_are(tmp_path: Path) -> None:
    cup = read_trace(real_or_made(tmp_path, "world-cup"))
    elb = read_trace(real_or_made(tmp_path, "elb"))
    azure = read_trace(real_or_made(tmp_path, "azure"))
    assert isinstance(cup, Counts)
    assert isinstance(elb, Counts)
    assert isinstance(azure, Arrivals)
    assert (cup.width_s, elb.width_s) == (60.0, 300.0)
    # A boundary minute stands in two files and is one bin.
    assert len(cup.bins) == cup.seconds / 60
    assert azure.moments_s[0] == 0.0
    assert azure.requests > 100
