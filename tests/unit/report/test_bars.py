from __future__ import annotations

from itertools import pairwise

import pytest

from tidegate.lag import DOWN_PARTS, UP_PARTS
from tidegate.report.bars import PART_WORDS, bar


def test_segments_stand_side_by_side() -> None:
    parts = {"metric": 2.0, "decision": 3.0, "create": 0.5}
    made = bar(parts, 11.0)
    assert [one.seconds for one in made] == [2.0, 3.0, 0.5]
    for before, after in pairwise(made):
        assert after.x == pytest.approx(before.x + before.width, abs=0.002)
    assert made[-1].x + made[-1].width == pytest.approx(50, abs=0.002)


def test_a_bar_of_nothing_is_empty() -> None:
    assert bar({}, 0.0) == []
    assert [one.width for one in bar({"metric": 0.0}, 0.0)] == [0.0]


def test_every_part_has_words() -> None:
    assert set(PART_WORDS) == {*UP_PARTS, *DOWN_PARTS}
