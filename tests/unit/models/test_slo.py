from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tidegate.models import LatencyObjective, Slo

READS: dict[str, Any] = {
    "route_group": "reads",
    "routes": ("GET /api/v1/products", "GET /api/v1/products/{id}"),
    "percentile": 99,
    "threshold_ms": 1000,
}


def objectives(*changes: dict[str, Any]) -> Slo:
    return Slo(
        availability_percent=99.9, latency=tuple(LatencyObjective(**(READS | change)) for change in changes)
    )


def test_routes_map_to_their_group() -> None:
    slo = objectives({}, {"percentile": 50}, {"route_group": "orders", "routes": ("POST /api/v1/orders",)})
    assert slo.route_groups() == {
        "GET /api/v1/products": "reads",
        "GET /api/v1/products/{id}": "reads",
        "POST /api/v1/orders": "orders",
    }


SENSELESS: list[tuple[Any, str]] = [
    (({"route_group": "other"},), "kept for routes"),
    (({}, {"percentile": 95, "routes": ("GET /x",)}), "two different lists"),
    (({}, {"route_group": "all", "percentile": 95}), "is in two groups"),
    (({}, {}), "two objectives for percentile 99"),
    (({"routes": ("/api/v1/products",)},), "routes"),
    (({"routes": ()},), "routes"),
    (({"percentile": 100},), "percentile"),
    (({"threshold_ms": 0},), "threshold_ms"),
    (({"route_group": "Reads"},), "route_group"),
]


@pytest.mark.parametrize(("changes", "said"), SENSELESS)
def test_objectives_that_make_no_sense_are_refused(changes: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        objectives(*changes)


@pytest.mark.parametrize("availability", [0, 100, 101, float("nan"), "99.9"])
def test_availability_leaves_a_budget(availability: Any) -> None:
    with pytest.raises(ValidationError, match="availability_percent"):
        Slo(availability_percent=availability)
