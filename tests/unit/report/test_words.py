from __future__ import annotations

import pytest

from tidegate.report import words


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u2212", "-").replace("\u2013", "-")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        (100.0, "100 %"),
        (99.9999, "99.999 %"),
        (99.95, "99.95 %"),
        (0.0, "0 %"),
        (99.9, "99.9 %"),
    ],
)
def test_percent_is_cut_and_never_rounded_up(value: float | None, said: str) -> None:
    assert plain(words.percent(value)) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "-"),
        (0.0, "0 s"),
        (0.0312, "31 ms"),
        (0.9996, "1.0 s"),
        (8.44, "8.4 s"),
        (99.96, "100 s"),
        (119.9, "2 min"),
        (200.0, "3 min 20 s"),
        (3900.0, "1 h 5 min"),
        (7200.0, "2 h"),
    ],
)
def test_seconds(value: float | None, said: str) -> None:
    assert plain(words.seconds(value)) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "-"), (2.04, "2.0 ms"), (840.4, "840 ms"), (999.6, "1.00 s"), (12_340, "12.3 s")],
)
def test_milliseconds(value: float | None, said: str) -> None:
    assert plain(words.milliseconds(value)) == said


@pytest.mark.parametrize(
    ("x", "said"), [(0, "0:00"), (41.9, "0:41"), (-20, "-0:20"), (-0.4, "0:00"), (3725, "1:02:05")]
)
def test_offset(x: float, said: str) -> None:
    assert plain(words.offset(x)) == said


@pytest.mark.parametrize(
    ("value", "said"), [(0, "0"), (31.666, "31.7"), (214.28, "214"), (12345.6, "12,346"), (0.04567, "0.0457")]
)
def test_number(value: float, said: str) -> None:
    assert words.number(value) == said


def test_units_of_checks() -> None:
    assert plain(words.unit_value(250.0, "ms")) == "250 ms"
    assert plain(words.unit_value(99.9, "%")) == "99.9 %"
    assert plain(words.unit_value(9.0, "pods")) == "9 pods"
    assert plain(words.unit_value(None, "pods")) == "-"
    assert words.plural(1, "pod") == "1 pod"
    assert words.plural(1200, "pod") == "1,200 pods"
