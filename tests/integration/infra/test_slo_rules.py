"""Burn-rate alerts, each firing and silent, over invented traffic."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.promtool import check_rules, counter, try_rules

from infra.observability.rules import rules_text
from infra.observability.slo_rules import BURNS, Burn, objectives, slo_rules
from tidegate.models.slo import Slo
from tidegate.models.stack import load_stack

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]

SLO = Slo.model_validate(
    {
        "availability_percent": 99,
        "min_requests": 500,
        "latency": [
            {
                "route_group": "reads",
                "routes": ["GET /a", "GET /b/{id}"],
                "percentile": 99,
                "threshold_ms": 1600,
            }
        ],
    }
)
"""Both budgets are 1 %, so a ratio of bad requests of 0.01 is a burn rate of 1."""

PER_MINUTE = 6000

MINUTES = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}

Traffic = Sequence[tuple[int, float]]
"""For so many minutes, so large a share of requests is bad."""


RULES = yaml.safe_dump({"groups": slo_rules(SLO)}, sort_keys=False, width=1000)

# Three days of every 30 s would take minutes.
SELDOM = "5m"


def series(promise: str, traffic: Traffic, per_minute: float = PER_MINUTE) -> list[dict[str, str]]:
    """Requests of which some break one promise and none the other."""
    total = counter(*((minutes, per_minute) for minutes, _ in traffic))
    bad = counter(*((minutes, per_minute * share) for minutes, share in traffic))
    good = counter(*((minutes, per_minute * (1 - share)) for minutes, share in traffic))
    labels = 'job="service",pod="p",method="GET",route="/b/{id}"'
    if promise == "availability":
        return [
            {"series": f'http_requests_total{{{labels},status="200"}}', "values": good},
            {"series": f'http_requests_total{{{labels},status="503"}}', "values": bad},
        ]
    histogram = "http_request_duration_seconds"
    return [
        {"series": f'http_requests_total{{{labels},status="200"}}', "values": total},
        {"series": f"{histogram}_count{{{labels}}}", "values": total},
        {"series": f'{histogram}_bucket{{{labels},le="1.5"}}', "values": good},
        # Above the threshold's bucket: what is slower than 1.5 s is late, however fast it is otherwise.
        {"series": f'{histogram}_bucket{{{labels},le="2.0"}}', "values": total},
    ]


def firing(at_minutes: int, promise: str, windows: Sequence[str]) -> dict[str, Any]:
    """Exactly these alerts, and none about the other promise."""
    return {
        "expr": 'count by (slo, window) (ALERTS{alertname="ErrorBudgetBurn",alertstate="firing"})',
        "eval_time": f"{at_minutes}m",
        "exp_samples": [
            {"labels": f'{{slo="{promise}",window="{window}"}}', "value": 1} for window in windows
        ],
    }


def case(promise: str, traffic: Traffic, *expected: dict[str, Any], **more: float) -> dict[str, Any]:
    return {
        "interval": "1m",
        "input_series": series(promise, traffic, **more),
        "promql_expr_test": list(expected),
    }


PROMISES = ["availability", "latency-reads-p99"]


@pytest.mark.parametrize("promise", PROMISES)
def test_each_alert_fires_above_its_burn_rate_and_not_below(
    promtool: Path, tmp_path: Path, promise: str
) -> None:
    cases = [
        case(
            promise,
            [(120, burning * 0.01)],
            firing(115, promise, [burn.long for burn in BURNS if burning > burn.factor]),
        )
        # Close to each factor on either side.
        for burning in (0.9, 1.1, 2.8, 3.2, 5.8, 6.2, 14.2, 14.6)
    ]
    done = try_rules(promtool, tmp_path, RULES, cases, every=SELDOM)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("burn", BURNS, ids=lambda burn: burn.long)
def test_what_is_over_or_what_has_just_begun_alerts_nobody(
    promtool: Path, tmp_path: Path, burn: Burn
) -> None:
    long, short = MINUTES[burn.long], MINUTES[burn.short]
    # A third of the long window far above the limit: enough for the long window by itself.
    much = min(1.0, 5 * burn.factor * 0.01)
    ended = case(
        "availability",
        [(long, 0.0), (long // 3, much), (2 * short, 0.0)],
        # While it lasts the alert is up; a short window after it, down.
        _has(long + long // 3 - 5, burn.long, up=True),
        _has(long + long // 3 + short + 10, burn.long, up=False),
    )
    # A short window's worth above the limit, which the long window hardly notices.
    begun = case(
        "availability",
        [(long, 0.0), (short, 1.5 * burn.factor * 0.01)],
        _has(long + short - 5, burn.long, up=False),
    )
    done = try_rules(promtool, tmp_path, RULES, [ended, begun], every=SELDOM)
    assert done.returncode == 0, done.stdout + done.stderr


def _has(at_minutes: int, window: str, *, up: bool) -> dict[str, Any]:
    return {
        "expr": f'count(ALERTS{{alertname="ErrorBudgetBurn",alertstate="firing",window="{window}"}})',
        "eval_time": f"{at_minutes}m",
        "exp_samples": [{"labels": "{}", "value": 1}] if up else [],
    }


def test_too_few_requests_spend_no_budget(promtool: Path, tmp_path: Path) -> None:
    def few(per_minute: float, *windows: str) -> dict[str, Any]:
        return case(
            "availability",
            [(120, 0.5)],
            firing(115, "availability", windows),
            per_minute=per_minute,
        )

    # In 115 minutes 4 a minute are 460 requests, and 6 a minute 690, but 360 in an hour.
    cases = [few(4), few(6, "6h", "1d", "3d"), few(6000, "1h", "6h", "1d", "3d")]
    done = try_rules(promtool, tmp_path, RULES, cases)
    assert done.returncode == 0, done.stdout + done.stderr


def test_without_traffic_and_without_a_single_failure_nothing_fires(promtool: Path, tmp_path: Path) -> None:
    silence = firing(115, "availability", [])
    sound = series("latency-reads-p99", [(120, 0.0)])
    cases = [
        {"interval": "1m", "input_series": [], "promql_expr_test": [silence]},
        {"interval": "1m", "input_series": sound, "promql_expr_test": [silence]},
    ]
    done = try_rules(promtool, tmp_path, RULES, cases, every=SELDOM)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alert_says_what_is_the_matter(promtool: Path, tmp_path: Path) -> None:
    said = {
        "eval_time": "60m",
        "alertname": "ErrorBudgetBurn",
        "exp_alerts": [
            {
                "exp_labels": {"slo": "availability", "severity": "ticket", "window": "3d"},
                "exp_annotations": {
                    "summary": "availability: the error budget goes 1 times too fast",
                    "description": "Over 3d and 6h, 2% of requests broke the objective that 99 % of requests "
                    "are answered without a 5xx.",
                },
            }
        ],
    }
    cases = [
        {
            "interval": "1m",
            "input_series": series("availability", [(90, 0.02)]),
            "alert_rule_test": [said],
        }
    ]
    done = try_rules(promtool, tmp_path, RULES, cases, every=SELDOM)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_checker_notices_a_wrong_expectation(promtool: Path, tmp_path: Path) -> None:
    wrong = case("availability", [(120, 0.0)], firing(115, "availability", ["1h"]))
    assert try_rules(promtool, tmp_path, RULES, [wrong], every=SELDOM).returncode != 0


@pytest.mark.parametrize("name", ["local", "e2e"])
def test_the_rules_of_each_stack_can_be_loaded(promtool: Path, tmp_path: Path, name: str) -> None:
    slo = load_stack(ROOT / f"Pulumi.{name}.yaml").slo
    (tmp_path / "rules.yml").write_text(rules_text(slo))
    done = check_rules(promtool, tmp_path / "rules.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(objectives(slo)) == 1 + len(slo.latency)
