from __future__ import annotations

import pytest

from tidegate.run.quantity import duration_s, quantity, unix_s


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0.0),
        ("12345678n", 0.012345678),
        ("250u", 0.00025),
        ("100m", 0.1),
        ("1.5", 1.5),
        ("2k", 2000.0),
        ("1e3", 1000.0),
        ("12E2", 1200.0),
        ("3E", 3e18),
        ("128974848", 128974848.0),
        ("123Mi", 123 * 2**20),
        ("1Gi", 2**30),
        ("-4Ki", -4096.0),
    ],
)
def test_quantities(text: str, value: float) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["", "m", "1mi", "1 Mi", "1.2.3", "1ki", "0x10", "1MB"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        quantity(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("15.021s", 15.021), ("1m30s", 90.0), ("1h0m0.5s", 3600.5), ("250ms", 0.25), ("0s", 0.0)],
)
def test_durations(text: str, seconds: float) -> None:
    assert duration_s(text) == pytest.approx(seconds, rel=1e-12)


@pytest.mark.parametrize("text", ["", "15", "s", "15 s", "15s!", "1d"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        duration_s(text)


def test_times() -> None:
    assert unix_s("2026-01-01T00:00:00Z") == 1767225600.0
    assert unix_s("2026-01-01T01:00:00.250000+01:00") == 1767225600.25
    with pytest.raises(ValueError, match="no time zone"):
        unix_s("2026-01-01T00:00:00")
