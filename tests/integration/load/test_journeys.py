"""Scenarios with a state of their own, against a shop that keeps a book."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from support.shop import Shop

from tidegate.load.drive import LoadResult, run_load
from tidegate.run import read_jsonl
from tidegate.run.format import NOBODY

LOADTESTS = Path(__file__).parents[3] / "loadtests"
LOGIN, LIST, LOOK = "POST /api/v2/auth/token", "GET /api/v1/products", "GET /api/v1/products/{id}"
ORDER, POLL = "POST /api/v2/orders", "GET /api/v2/orders/{id}"
JOURNEY = [LOGIN, LIST, LOOK, LOOK, ORDER, POLL]


def drive(shop: Shop, folder: Path, scenario: str, **parameters: str) -> LoadResult:
    return run_load(
        scenario, run_dir=folder, host=shop.url, parameters=parameters, progress=None, folder=LOADTESTS
    )


def rows(folder: Path) -> pl.DataFrame:
    found = pl.concat(pl.read_parquet(path) for path in sorted((folder / "requests").glob("*.parquet")))
    return found.sort("start_s")


def journeys(folder: Path) -> list[int]:
    """Return how many journeys were begun, decided, failed and undecided."""
    notes = [str(note["what"]) for _, note in read_jsonl(folder / "recorder.jsonl")]
    told = next(note for note in notes if note.startswith("checkout: "))
    return [int(number) for number in re.findall(r"(\d+) (?:journeys|decided|failed|undecided)", told)]


def test_a_buyer_goes_the_whole_way_step_by_step(shop: Shop, tmp_path: Path) -> None:
    drive(shop, tmp_path, "checkout", buyers="2", rps="4", checkout_s="6", looks="2", arrivals="constant")
    recorded = rows(tmp_path)
    assert recorded.height == len(shop.book)
    for _, part in recorded.group_by("user"):
        steps = part.sort("start_s")["route"].to_list()
        assert len(steps) > len(JOURNEY)
        assert steps == (JOURNEY * len(steps))[: len(steps)]
    begun, decided, failed, undecided = journeys(tmp_path)
    polls = recorded.filter(pl.col("route") == POLL).height
    assert (decided, failed, undecided) == (polls, 0, 0)
    assert begun == recorded.filter(pl.col("route") == LOGIN).height


def test_journeys_of_an_open_loop_begin_when_they_are_due(shop: Shop, tmp_path: Path) -> None:
    drive(
        shop,
        tmp_path,
        "checkout",
        loop="open",
        buyers="6",
        rps="4",
        checkout_s="6",
        looks="2",
        arrivals="constant",
    )
    recorded = rows(tmp_path)
    assert recorded.height == len(shop.book)
    assert set(recorded["user"]) == {NOBODY}
    # 24 requests a second in journeys of six are four journeys a second, evenly spaced.
    begun = recorded.filter(pl.col("route") == LOGIN)["intended_start_s"].sort()
    assert begun.len() == 4 * 6
    assert begun.diff().drop_nulls().to_list() == pytest.approx([0.25] * (begun.len() - 1), abs=1e-3)
    counted = Counter(recorded["route"])
    assert counted[LOGIN] >= counted[LIST] >= counted[ORDER] >= counted[POLL] > 0
    assert journeys(tmp_path)[0] == begun.len()


def test_a_journey_that_fails_says_so(shop: Shop, tmp_path: Path) -> None:
    shop.hang_up_on = "POST /api/v2/orders"
    drive(shop, tmp_path, "checkout", buyers="2", rps="5", checkout_s="5", looks="1")
    begun, decided, failed, _ = journeys(tmp_path)
    assert begun >= failed > 0
    assert decided == 0
    assert POLL not in set(rows(tmp_path)["route"])


def test_arrivals_of_the_spike_come_as_customers_who_log_in_once(shop: Shop, tmp_path: Path) -> None:
    drive(
        shop,
        tmp_path,
        "spike",
        loop="open",
        base_users="10",
        spike_users="60",
        warm_s="2",
        spike_s="4",
        cool_s="1",
        arrivals="constant",
    )
    recorded = rows(tmp_path)
    assert recorded.height == len(shop.book) == 10 * 2 + 60 * 4 + 10
    counted = Counter(recorded["route"])
    assert 0 < counted[LOGIN] <= 50
    assert {LIST, LOOK, "POST /api/v1/orders"} <= set(counted)
    assert recorded["ok"].all()


def test_a_replay_sends_each_arrival_at_its_own_moment(shop: Shop, tmp_path: Path) -> None:
    moments = [0.0, 0.5, 0.75, 2.0, 2.0, 3.5, 4.25]
    trace = tmp_path / "trace.csv"
    trace.write_text("time,size\n" + "".join(f"{1000 + 2 * moment},7\n" for moment in moments))
    # Twice as fast at twice the trace's rate: each arrival once, at half of its time.
    drive(shop, tmp_path, "replay", trace=str(trace), speed="2", rate_scale="2")
    begun = rows(tmp_path)["intended_start_s"].sort()
    assert (begun - begun[0]).to_list() == pytest.approx(moments, abs=1e-3)
