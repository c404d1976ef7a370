"""Dashboards and rules ask for metrics that somebody exports, in expressions that can be parsed."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from support.promql import filled, metrics
from support.promtool import check_rules

from app.core.settings import load_settings
from app.resources import Resources
from app.workers.queue_metrics import QueueMetrics
from infra.dashboards.files import DASHBOARDS
from infra.observability.kube_state_metrics import kube_state_metrics
from infra.observability.rules import rules_text
from infra.observability.scrape import configuration
from tidegate.errors import TidegateError
from tidegate.images.ensure import ensure_files
from tidegate.models.stack import load_stack

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[3]


def documented(name: str) -> str:
    """The documents of a module of the catalogue, of the very version that is deployed."""
    try:
        folder = ensure_files(name)
    except TidegateError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"the documents are not to be had: {error}")
    return "\n".join(file.read_text() for file in sorted(folder.rglob("*.md")))


@pytest.fixture(scope="module")
def own() -> set[str]:
    """Every sample the service's processes can publish, from their live registries."""
    resources = Resources.create(load_settings(), application="test")
    registry = resources.metrics.registry
    queue = QueueMetrics(resources.database, CollectorRegistry())
    found: set[str] = set()
    suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}
    for family in registry.collect():
        found |= {family.name + suffix for suffix in suffixes[family.type]}
    names = ("tidegate_queue_depth", "tidegate_dead_letters", "tidegate_queue_age_seconds")
    return found | queue_names(queue, names)


def queue_names(queue: QueueMetrics, names: tuple[str, ...]) -> set[str]:
    """Of the names, those it publishes once it has looked."""
    from app.repositories.orders import PendingOrders

    queue._pending = PendingOrders(1, None, 0)  # pyright: ignore[reportPrivateUsage] - as if it had looked
    queue._read_at_s = float("inf")  # pyright: ignore[reportPrivateUsage]
    return {family.name for family in queue.collect()} & set(names)


@pytest.fixture(scope="module")
def objects() -> set[str]:
    """What kube-state-metrics exports of the kinds that it is told to show."""
    text = documented("kube-state-metrics-docs")
    known = set(re.findall(r"\bkube_[a-z0-9_]+\b", text))
    (deployment,) = [each for each in kube_state_metrics("x:1") if each["kind"] == "Deployment"]
    arguments: list[str] = deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    (shown,) = [word.partition("=")[2] for word in arguments if word.startswith("--resources=")]
    kinds = tuple(f"kube_{kind.removesuffix('s')}_" for kind in shown.split(","))
    return {name for name in known if name.startswith(kinds)}


@pytest.fixture(scope="module")
def containers() -> set[str]:
    """What kubelets export of containers, as far as Prometheus is told to keep it."""
    text = documented("cadvisor-docs")
    (job,) = [
        each for each in yaml.safe_load(configuration())["scrape_configs"] if each["job_name"] == "cadvisor"
    ]
    (kept, _) = job["metric_relabel_configs"]
    known = set(re.findall(r"\bcontainer_[a-z0-9_]+\b", text))
    return {name for name in known if re.fullmatch(kept["regex"], name)}


def rule_groups() -> list[dict[str, Any]]:
    return yaml.safe_load(rules_text(load_stack(ROOT / "Pulumi.local.yaml").slo))["groups"]


@pytest.fixture(scope="module")
def exported(own: set[str], objects: set[str], containers: set[str]) -> set[str]:
    recorded = {rule["record"] for group in rule_groups() for rule in group["rules"] if "record" in rule}
    assert own
    assert objects
    assert containers
    return own | objects | containers | recorded | {"up"}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_a_dashboard_asks_for_what_is_there(dashboard: Any, exported: set[str]) -> None:
    for query in dashboard.queries():
        asked = metrics(filled(query.expr))
        assert asked, query.expr
        assert asked <= exported, query.expr
    assert {variable.metric for variable in dashboard.variables} <= exported


def test_the_rules_ask_for_what_is_there(exported: set[str]) -> None:
    for group in rule_groups():
        for rule in group["rules"]:
            asked = metrics(rule["expr"])
            assert asked, rule["expr"]
            assert asked <= exported, rule["expr"]


def test_every_expression_can_be_parsed(promtool: Path, tmp_path: Path) -> None:
    queries = [query for dashboard in DASHBOARDS for query in dashboard.queries()]
    rules = [
        {"record": f"panel:{number}", "expr": filled(query.expr)} for number, query in enumerate(queries)
    ]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = check_rules(promtool, file)
    assert done.returncode == 0, done.stdout + done.stderr
    rules[0]["expr"] = "sum(rate(x[5m])"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert check_rules(promtool, file).returncode != 0


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ('sum by (le, pod) (rate(a_bucket{job="b",x=~"c"}[5m]))', {"a_bucket"}),
        (
            "slo:bad:ratio1h / on (slo) group_left (x) other > 0.5 and c or vector(0)",
            {"slo:bad:ratio1h", "other", "c"},
        ),
        ('absent(up{job="service"} == 1) * 1e3', {"up"}),
        ("histogram_quantile(0.95, sum(a) by (le))", {"a"}),
    ],
)
def test_names_in_an_expression(expression: str, found: set[str]) -> None:
    assert metrics(expression) == found
