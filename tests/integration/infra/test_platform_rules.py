"""What else should wake somebody, each alert firing and silent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from support.promtool import try_rules

from infra.observability.rules import rules_text
from tidegate.models.slo import Slo

pytestmark = pytest.mark.integration

RULES = rules_text(Slo(availability_percent=99.9))

HPA = 'namespace="tidegate",horizontalpodautoscaler="tidegate-web"'
POD = 'namespace="tidegate",pod="tidegate-web-1"'
HEALTHY = {
    'up{job="service",container="web",pod="a"}': "1x40",
    'tidegate_queue_age_seconds{job="service",pod="w"}': "3x40",
    'tidegate_dead_letters{job="service",pod="w"}': "0x40",
    f"kube_horizontalpodautoscaler_status_desired_replicas{{{HPA}}}": "4x40",
    f"kube_horizontalpodautoscaler_spec_max_replicas{{{HPA}}}": "12x40",
    f'kube_pod_status_ready{{{POD},condition="true"}}': "1x40",
    f'kube_pod_status_phase{{{POD},phase="Running"}}': "1x40",
    f'kube_pod_status_phase{{{POD},phase="Succeeded"}}': "0x40",
}
"""A sound platform, a sample a minute."""

# Alert, what is different, and minutes at which it is silent yet and at which it fires.
CASES: list[tuple[str, dict[str, str | None], int, int]] = [
    ("ServiceSilent", {'up{job="service",container="web",pod="a"}': "1x9 0x40"}, 9, 14),
    ("QueueOld", {'tidegate_queue_age_seconds{job="service",pod="w"}': "299x9 301x40"}, 9, 13),
    ("QueueUnmeasured", {'tidegate_queue_age_seconds{job="service",pod="w"}': None}, 4, 8),
    ("DeadLetters", {'tidegate_dead_letters{job="service",pod="w"}': "0x9 2x40"}, 9, 13),
    (
        "AutoscalerAtMaximum",
        {f"kube_horizontalpodautoscaler_status_desired_replicas{{{HPA}}}": "11x4 12x40"},
        18,
        23,
    ),
    ("PodNotReady", {f'kube_pod_status_ready{{{POD},condition="true"}}': "1x4 0x40"}, 13, 18),
]


def alerts() -> dict[str, dict[str, Any]]:
    (group,) = [each for each in yaml.safe_load(RULES)["groups"] if each["name"] == "platform"]
    return {rule["alert"]: rule for rule in group["rules"]}


def case(changed: dict[str, str | None], *expected: tuple[int, list[str]]) -> dict[str, Any]:
    given: dict[str, str | None] = HEALTHY | changed
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in given.items() if values],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in names],
            }
            for minute, names in expected
        ],
    }


def test_every_alert_is_tried() -> None:
    assert [name for name, *_ in CASES] == list(alerts())


def test_a_sound_platform_wakes_nobody(promtool: Path, tmp_path: Path) -> None:
    done = try_rules(promtool, tmp_path, RULES, [case({}, (5, []), (20, []), (39, []))])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("name", "changed", "silent", "loud"), CASES, ids=[name for name, *_ in CASES])
def test_an_alert_fires_when_it_has_lasted_and_it_alone(
    promtool: Path, tmp_path: Path, name: str, changed: dict[str, str | None], silent: int, loud: int
) -> None:
    done = try_rules(promtool, tmp_path, RULES, [case(changed, (silent, []), (loud, [name]))])
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_migration_that_has_ended_is_not_missed(promtool: Path, tmp_path: Path) -> None:
    ended = {
        f'kube_pod_status_ready{{{POD},condition="true"}}': "0x40",
        f'kube_pod_status_phase{{{POD},phase="Running"}}': "0x40",
        f'kube_pod_status_phase{{{POD},phase="Succeeded"}}': "1x40",
    }
    done = try_rules(promtool, tmp_path, RULES, [case({**ended}, (39, []))])
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_queue_objective_sets_the_limit(promtool: Path, tmp_path: Path) -> None:
    rules = rules_text(Slo(availability_percent=99.9, queue_age_max_s=2))
    done = try_rules(promtool, tmp_path, rules, [case({}, (10, ["QueueOld"]))])
    assert done.returncode == 0, done.stdout + done.stderr
