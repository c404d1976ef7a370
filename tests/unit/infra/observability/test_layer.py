from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import yaml

from infra.manifests import Manifest
from infra.observability.kube_state_metrics import kube_state_metrics
from infra.observability.metrics_server import metrics_server
from infra.observability.prometheus import prometheus
from infra.observability.scrape import configuration
from infra.policy import check
from tidegate.models.slo import Slo

SLO = Slo(availability_percent=99.9)


def args(objects: list[Manifest]) -> list[str]:
    (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
    return deployment["spec"]["template"]["spec"]["containers"][0]["args"]


def rules(objects: list[Manifest], name: str) -> dict[str, list[str]]:
    """Return resource to verbs of one role."""
    (found,) = [
        each
        for each in objects
        if each["kind"] in ("Role", "ClusterRole") and each["metadata"]["name"] == name
    ]
    return {resource: rule["verbs"] for rule in found["rules"] for resource in rule["resources"]}


@pytest.mark.parametrize("make", [metrics_server, kube_state_metrics, partial(prometheus, slo=SLO)])
def test_every_rule_holds(make: Any) -> None:
    assert check(make("example/tool:1")) == []


def test_the_autoscaler_gets_numbers_four_times_a_minute() -> None:
    assert "--metric-resolution=15s" in args(metrics_server("x:1"))


def test_metrics_server_reads_kubelets_and_nothing_more() -> None:
    assert rules(metrics_server("x:1"), "system:metrics-server") == {
        "nodes/metrics": ["get"],
        "pods": ["get", "list", "watch"],
        "nodes": ["get", "list", "watch"],
    }


def test_kube_state_metrics_may_read_exactly_what_it_shows() -> None:
    objects = kube_state_metrics("x:1")
    (shown,) = [
        word.partition("=")[2].split(",") for word in args(objects) if word.startswith("--resources=")
    ]
    given = rules(objects, "kube-state-metrics")
    assert set(shown) == set(given)
    assert not {"secrets", "configmaps"} & set(given)
    assert {tuple(verbs) for verbs in given.values()} == {("list", "watch")}


def test_prometheus_cannot_reach_through_a_kubelet() -> None:
    given = rules(prometheus("x:1", SLO), "tidegate-prometheus")
    assert given == {"nodes": ["get", "list", "watch"], "nodes/metrics": ["get"]}


def test_a_change_of_the_configuration_restarts_prometheus() -> None:
    def revision(slo: Slo) -> str:
        objects = prometheus("x:1", slo)
        (deployment,) = [each for each in objects if each["kind"] == "Deployment"]
        return deployment["spec"]["template"]["metadata"]["annotations"]["tidegate/config-hash"]

    assert len(revision(SLO)) == 16
    assert revision(SLO) == revision(SLO)
    assert revision(SLO) != revision(Slo(availability_percent=99))


def test_prometheus_loads_the_rules_and_remembers_as_long_as_they_look_back() -> None:
    objects = prometheus("x:1", SLO)
    (files,) = [each["data"] for each in objects if each["kind"] == "ConfigMap"]
    (named,) = yaml.safe_load(files["prometheus.yml"])["rule_files"]
    groups = yaml.safe_load(files[named])["groups"]
    assert {each["name"] for each in groups} == {"slo-recording", "slo-alerts", "platform"}
    assert "3d" in files[named]
    assert "--storage.tsdb.retention.time=4d" in args(objects)


def job(name: str) -> dict[str, Any]:
    (found,) = [
        each for each in yaml.safe_load(configuration())["scrape_configs"] if each["job_name"] == name
    ]
    return found


def test_the_service_is_scraped_every_five_seconds_at_the_port_it_names() -> None:
    service = job("service")
    assert service["scrape_interval"] == "5s"
    assert service["kubernetes_sd_configs"] == [{"role": "pod", "namespaces": {"names": ["tidegate"]}}]
    (same,) = [each for each in service["relabel_configs"] if each.get("action") == "keepequal"]
    assert same["source_labels"] == ["__meta_kubernetes_pod_container_port_number"]
    assert same["target_label"].endswith("prometheus_io_port")


def test_throttling_is_kept() -> None:
    (by_name, _) = job("cadvisor")["metric_relabel_configs"]
    assert "container_cpu_cfs_" in by_name["regex"]


def test_labels_of_kube_state_metrics_win_over_the_targets() -> None:
    assert job("kube-state-metrics")["honor_labels"] is True
