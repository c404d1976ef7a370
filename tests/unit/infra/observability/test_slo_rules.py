from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.core.metrics import Metrics
from app.core.settings import load_settings
from app.main import create_app
from app.resources import Resources
from infra.observability.slo_rules import BUCKETS_S, BURNS, objectives, possible, slo_rules
from tidegate.errors import TidegateError
from tidegate.models.slo import Slo
from tidegate.models.stack import load_stack

ROOT = Path(__file__).resolve().parents[4]


def slo(percentile: float = 95, threshold_ms: float = 1500) -> Slo:
    reads: dict[str, Any] = {"route_group": "reads", "routes": ["GET /a", "POST /b"]}
    return Slo.model_validate(
        {
            "availability_percent": 99.9,
            "latency": [reads | {"percentile": percentile, "threshold_ms": threshold_ms}],
        }
    )


def test_the_buckets_are_those_the_service_counts_in() -> None:
    metrics = Metrics()
    metrics.http_duration_s.labels("GET", "/x").observe(1)
    (family,) = [each for each in metrics.registry.collect() if each.name == "http_request_duration_seconds"]
    bounds = [float(sample.labels["le"]) for sample in family.samples if sample.name.endswith("_bucket")]
    assert tuple(bounds[:-1]) == BUCKETS_S


@pytest.mark.parametrize("name", ["local", "e2e"])
def test_every_route_of_the_objectives_is_one_the_service_has(name: str) -> None:
    resources = Resources.create(load_settings(), application="test")
    paths = create_app(resources).openapi()["paths"]
    templates = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    assert set(load_stack(ROOT / f"Pulumi.{name}.yaml").slo.route_groups()) <= templates


def test_the_short_window_is_a_twelfth_of_the_long_one() -> None:
    minutes = {"m": 1, "h": 60, "d": 1440}
    for burn in BURNS:
        long, short = (int(word[:-1]) * minutes[word[-1]] for word in (burn.long, burn.short))
        assert long == 12 * short


def test_budgets_and_buckets() -> None:
    available, reads = objectives(slo(percentile=95, threshold_ms=1500))
    assert (available.name, available.budget) == ("availability", 0.001)
    assert (reads.name, reads.budget) == ("latency-reads-p95", 0.05)
    assert 'le="1.5"' in reads.bad
    for template in ('method="GET",route="/a"', 'method="POST",route="/b"'):
        assert reads.bad.count(template) == 2
        assert reads.total.count(template) == 1


@pytest.mark.parametrize(
    ("threshold_ms", "bound"), [(1499, "1.0"), (1501, "1.5"), (600_000, "10.0"), (5, "0.005")]
)
def test_what_lies_between_two_buckets_counts_as_slow(threshold_ms: float, bound: str) -> None:
    _, reads = objectives(slo(threshold_ms=threshold_ms))
    assert f'le="{bound}"' in reads.bad
    assert f"{float(bound):g} s" in reads.says


def test_a_threshold_that_no_bucket_can_tell_is_refused() -> None:
    with pytest.raises(TidegateError, match="4 ms"):
        slo_rules(slo(threshold_ms=4))


def test_alerts_that_could_never_fire_are_left_out() -> None:
    _, median = objectives(slo(percentile=50))
    assert [burn.factor for burn in possible(median)] == [1]
    _, tail = objectives(slo(percentile=99))
    assert possible(tail) == list(BURNS)
    alerts = [rule for group in slo_rules(slo(percentile=50)) for rule in group["rules"] if "alert" in rule]
    assert len(alerts) == 4 + 1
