from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate.errors import TidegateError
from tidegate.run import MetricRow, SegmentWriter
from tidegate.run.format import METRIC_SCHEMA

Open = Callable[..., SegmentWriter[MetricRow]]


def row(number: int) -> MetricRow:
    return MetricRow(float(number), number + 0.5, "m", "{}", float(number), None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "metrics"


@pytest.fixture
def open_writer(folder: Path) -> Open:
    def opened(writer_id: str = "w", **settings: Any) -> SegmentWriter[MetricRow]:
        return SegmentWriter(folder, METRIC_SCHEMA, writer_id, **settings)

    return opened


def values(folder: Path) -> list[float]:
    paths = sorted(folder.glob("*.parquet"))
    return [value for path in paths for value in pl.read_parquet(path)["value"].to_list()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_rows_are_flushed_by_number_by_age_and_on_close(folder: Path, open_writer: Open) -> None:
    now = [0.0]
    with open_writer(max_rows=3, max_age_s=10, clock=lambda: now[0]) as writer:
        for number in range(4):
            writer.append(row(number))
        assert values(folder) == [0, 1, 2]
        now[0] = 9.9
        writer.tick()
        assert values(folder) == [0, 1, 2]
        now[0] = 10.0
        writer.tick()
        assert values(folder) == [0, 1, 2, 3]
        writer.append(row(4))
        now[0] = 20.0
        writer.append(row(5))
        assert values(folder) == [0, 1, 2, 3, 4, 5]
        writer.append(row(6))
    assert values(folder) == [0, 1, 2, 3, 4, 5, 6]
    assert writer.rows_written == 7
    assert names(folder) == [f"w-{number:06d}.parquet" for number in range(4)]


def test_nothing_written_is_no_file(folder: Path, open_writer: Open) -> None:
    writer = open_writer()
    writer.close()
    writer.close()
    assert names(folder) == []
    with pytest.raises(TidegateError, match="closed"):
        writer.append(row(1))


def test_a_second_process_of_the_same_name_goes_on_behind_the_first(folder: Path, open_writer: Open) -> None:
    for number in range(2):
        with open_writer("w-1") as writer:
            writer.append(row(number))
    with open_writer("w") as writer:
        writer.append(row(2))
    assert names(folder) == ["w-000000.parquet", "w-1-000000.parquet", "w-1-000001.parquet"]


def test_nulls_and_types_are_kept(folder: Path, open_writer: Open) -> None:
    with open_writer() as writer:
        writer.append(MetricRow(1.0, 2.0, "ä", '{"pod":"x"}', 3.5, 15.0))
        writer.append(MetricRow(1.0, 2.0, "m", "{}", 3, None))
    frame = pl.read_parquet(folder / "w-000000.parquet")
    assert frame.schema == METRIC_SCHEMA
    assert frame.rows() == [(1.0, 2.0, "ä", '{"pod":"x"}', 3.5, 15.0), (1.0, 2.0, "m", "{}", 3.0, None)]


@pytest.mark.parametrize("writer_id", ["", "a/b", "../x", ".hidden", "a b"])
def test_a_writer_stays_in_its_folder(open_writer: Open, writer_id: str) -> None:
    with pytest.raises(TidegateError, match="writer's name"):
        open_writer(writer_id)


def test_a_full_disk_keeps_the_rows_takes_no_more_than_fit_and_recovers(
    folder: Path, open_writer: Open
) -> None:
    writer = open_writer(max_rows=2)
    writer.append(row(0))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16, hard))
    try:
        for number in (1, 2, 3):
            with pytest.raises(TidegateError, match="cannot write a segment"):
                writer.append(row(number))
        assert names(folder) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    writer.append(row(4))
    writer.close()
    # Rows 2 and 3 were refused: the buffer was full, and the caller was told.
    assert values(folder) == [0, 1, 4]


def test_a_row_of_the_wrong_type_is_an_error_and_leaves_no_file(folder: Path, open_writer: Open) -> None:
    writer = open_writer()
    writer.append(MetricRow("x", 1.0, "m", "{}", 1.0, None))  # type: ignore[arg-type]
    with pytest.raises(TidegateError, match="cannot write a segment"):
        writer.close()
    assert names(folder) == []


def test_a_writer_opened_before_a_fork_refuses_in_the_child(folder: Path, open_writer: Open) -> None:
    writer = open_writer()
    writer.append(row(0))
    writer._pid = os.getpid() + 1  # pyright: ignore[reportPrivateUsage] - as a child would see it
    with pytest.raises(TidegateError, match="before a fork"):
        writer.flush()
    assert names(folder) == []


PROGRAM = """
import sys
from pathlib import Path
from tidegate.run.format import METRIC_SCHEMA, MetricRow
from tidegate.run.segment import SegmentWriter
writer = SegmentWriter(Path(sys.argv[1]), METRIC_SCHEMA, "w", max_rows=100)
number = 0
while True:
    writer.append(MetricRow(0.0, 0.0, "m", "{}", float(number), None))
    number += 1
    if number % 100 == 0:
        print(number, flush=True)
"""


def test_a_killed_process_leaves_every_row_it_had_flushed(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    with process.stdout as announced:
        for _ in range(5):
            announced.readline()
        process.kill()
        last = [500, *(int(line) for line in announced if line.endswith("\n"))][-1]
    process.wait()
    found = values(folder)
    assert found == [float(number) for number in range(len(found))]
    assert len(found) >= last


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    batches=st.lists(st.lists(st.floats(allow_nan=False), max_size=7), max_size=6),
    max_rows=st.integers(1, 5),
)
def test_every_row_comes_back_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[float]], max_rows: int
) -> None:
    folder = tmp_path_factory.mktemp("segments")
    for batch in batches:
        with SegmentWriter[MetricRow](folder, METRIC_SCHEMA, "w", max_rows=max_rows) as writer:
            for value in batch:
                writer.append(MetricRow(0.0, 0.0, "m", "{}", value, None))
    assert values(folder) == [value for batch in batches for value in batch]
