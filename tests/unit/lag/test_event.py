from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.lag import DOWN_MARKS, DOWN_PARTS, UP_MARKS, UP_PARTS, PodPath, ScaleEvent

# Unix seconds from 2001 to 2106 as a clock gives them, and a day in which an event takes place.
BEGINNINGS = st.floats(1e9, 2**32)
OFFSETS = st.floats(0, 86_400)
ANY_MARKS = st.lists(st.none() | BEGINNINGS, min_size=8, max_size=8)


def event(*paths: PodPath, absent: int = 0) -> ScaleEvent:
    return ScaleEvent("up", 1e9, 2, 4, 120, 15.0, paths, absent)


@given(begin=BEGINNINGS, offsets=st.lists(OFFSETS, min_size=8, max_size=8))
def test_parts_are_contiguous_not_negative_and_add_up_exactly(begin: float, offsets: list[float]) -> None:
    path = PodPath.of("p", "n", UP_MARKS, [begin + offset for offset in offsets])
    assert path.complete
    assert tuple(path.parts_s) == UP_PARTS
    assert all(seconds >= 0 for seconds in path.parts_s.values())
    assert sum(path.parts_s.values()) == path.total_s


@given(marks=ANY_MARKS)
def test_a_missing_mark_is_named_and_takes_only_its_own_parts(marks: list[float | None]) -> None:
    path = PodPath.of("p", None, UP_MARKS, marks)
    missing = {name for name, mark in zip(UP_MARKS, marks, strict=True) if mark is None}
    assert set(path.missing) == missing
    assert path.complete == (not missing)
    assert (path.total_s is None) == bool(missing)
    known = {
        part
        for part, before, after in zip(UP_PARTS, UP_MARKS, UP_MARKS[1:], strict=False)
        if not {before, after} & missing
    }
    assert set(path.parts_s) == known
    assert all(seconds >= 0 for seconds in path.parts_s.values())
    assert event(path).complete == (not missing)
    assert event(path).missing == tuple(f"p: {name}" for name in UP_MARKS if name in missing)


def test_a_mark_that_was_overtaken_is_raised() -> None:
    path = PodPath.of("p", None, DOWN_MARKS, (10.0, 9.5, 9.75, 12.0))
    assert path.marks_s == (10.0, 10.0, 10.0, 12.0)
    assert path.parts_s == dict(zip(DOWN_PARTS, (0.0, 0.0, 2.0), strict=True))


def test_an_event_is_as_long_as_its_last_pod() -> None:
    paths = [
        PodPath.of(name, None, DOWN_MARKS, (0.0, 1.0, 2.0, end))
        for name, end in (("a", 3.0), ("b", 5.0), ("c", 9.0))
    ]
    whole = event(*paths)
    assert (whole.first, whole.last) == (paths[0], paths[2])
    assert (whole.total_s, whole.median_total_s) == (9.0, 5.0)
    assert sum(whole.parts_s.values()) == whole.total_s


def test_a_pod_of_which_nothing_was_seen_makes_an_event_incomplete() -> None:
    seen = PodPath.of("a", None, DOWN_MARKS, (0.0, 1.0, 2.0, 3.0))
    partly = event(seen, absent=2)
    assert not partly.complete
    assert partly.total_s is None
    assert partly.median_total_s == 3.0
    assert partly.missing == ("2 pod(s): created",)


def test_an_event_without_pods() -> None:
    nothing = event(absent=1)
    assert (nothing.first, nothing.last, nothing.total_s, nothing.median_total_s, nothing.parts_s) == (
        None,
        None,
        None,
        None,
        {},
    )
    assert not event().complete


@pytest.mark.parametrize(("marks", "parts"), [(UP_MARKS, UP_PARTS), (DOWN_MARKS, DOWN_PARTS)])
def test_there_is_one_part_between_two_marks(marks: tuple[str, ...], parts: tuple[str, ...]) -> None:
    assert len(parts) == len(marks) - 1
