from __future__ import annotations

import pytest
from support.synthetic_run import Shape, build_run

from tidegate.lag import DOWN_PARTS, UP_PARTS, ScaleEvent, breakdown, summarize, table
from tidegate.run import RunReader


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[ScaleEvent]:
    return breakdown(RunReader(build_run(tmp_path_factory.mktemp("run"))))


def test_one_row_a_pod(events: list[ScaleEvent]) -> None:
    rows = table(events)
    assert len(rows) == 14
    assert [(row["direction"], row["from"], row["to"]) for row in rows[:5:4]] == [("up", 2, 6), ("up", 6, 9)]
    up, down = rows[0], rows[-1]
    assert {f"{part}_s" for part in UP_PARTS} <= set(up)
    assert {f"{part}_s" for part in DOWN_PARTS} <= set(down)
    assert all(row["missing"] == "" for row in rows)


def test_the_summary_is_over_all_pods(events: list[ScaleEvent]) -> None:
    born = [pod for pod in Shape().pods if pod.name.startswith("tidegate-web-new")]
    ready = sorted((pod.ready or 0) - (pod.started or 0) for pod in born)
    by_part = {one.part: one for one in summarize(events)}
    assert list(by_part) == [*UP_PARTS, "total"]
    assert {one.count for one in by_part.values()} == {7}
    assert by_part["ready"].median_s == pytest.approx(ready[3], abs=1e-6)
    assert by_part["ready"].p95_s == by_part["ready"].max_s == pytest.approx(ready[6], abs=1e-6)
    assert [one.part for one in summarize(events, "down")] == [*DOWN_PARTS, "total"]


def test_without_complete_paths_there_is_no_summary(events: list[ScaleEvent]) -> None:
    assert summarize([event for event in events if event.direction == "down"], "up") == []
    assert (table([]), summarize([])) == ([], [])
