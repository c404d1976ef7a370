from __future__ import annotations

import pytest

from tidegate.simulate.hpa.quantity import parse_quantity

# Computed with k8s.io/apimachinery v0.36.3: ParseQuantity, MilliValue, AsApproximateFloat64.
UPSTREAM = [
    ("0", 0, 0.0),
    ("100m", 100, 0.1),
    ("0.33", 330, 0.33),
    ("0.1", 100, 0.1),
    ("1", 1000, 1.0),
    ("64Mi", 67108864000, 67108864.0),
    ("1.5Gi", 1610612736000, 1610612736.0),
    ("1e3", 1000000, 1000.0),
    ("12E2", 1200000, 1200.0),
    ("1n", 1, 1e-09),
    ("-1u", -1, -1e-06),
    ("123456789n", 124, 0.12345678900000001),
    (".5", 500, 0.5),
    ("1.", 1000, 1.0),
    ("+00010k", 10000000, 10000.0),
    ("1e-12", 1, 1e-09),
    ("219887438431875M", 2249073257144737280, 2.1988743843187501e20),
    ("10P", 0, 1e16),
    ("-290815636Gi", 1316684965472, -3.1226091144636006e17),
    ("9E", 0, 9e18),
]


@pytest.mark.parametrize(("text", "milli", "approximate"), UPSTREAM)
def test_values_are_upstream_s(text: str, milli: int, approximate: float) -> None:
    quantity = parse_quantity(text)
    assert (quantity.milli(), quantity.approximate()) == (milli, approximate)


@pytest.mark.parametrize(
    "text", ["", " ", "m", "Ei", "1 Mi", "1.2.3", "1ki", "0x10", "1MB", "1e", "e3", "1e401"]
)
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a quantity|which no quantity has"):
        parse_quantity(text)


def test_a_hostile_quantity_is_refused_before_it_is_computed() -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        parse_quantity("9" * 10_000_000)
    with pytest.raises(ValueError, match="which no quantity has"):
        parse_quantity("1e999999999")
