"""FIS templates: what is rendered fits the service's own model, and what has no counterpart is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tidegate.chaos.catalogue import available, load_experiments
from tidegate.chaos.fis import account, alarm_names, save_templates, template, validate
from tidegate.errors import TidegateError
from tidegate.models import LatencyObjective, Slo

ARN = "arn:aws:eks:eu-central-1:111122223333:cluster/shop"
SLO = Slo(
    availability_percent=99.9,
    latency=(
        LatencyObjective(
            route_group="reads", routes=("GET /api/v1/products",), percentile=95, threshold_ms=500
        ),
    ),
)
WITH = {
    "pod-kill": "aws:eks:pod-delete",
    "cpu-stress": "aws:eks:pod-cpu-stress",
    "network-delay": "aws:eks:pod-network-latency",
    "network-loss": "aws:eks:pod-network-packet-loss",
    "partition-redis": "aws:eks:pod-network-blackhole-port",
    "partition-postgres": "aws:eks:pod-network-blackhole-port",
    "redis-away": "aws:eks:pod-network-blackhole-port",
    "node-loss": "aws:eks:terminate-nodegroup-instances",
    "postgres-restart": "aws:rds:reboot-db-instances",
}


def made(name: str) -> dict[str, Any]:
    return template(load_experiments([name])[0], SLO, account(ARN))


@pytest.mark.parametrize(("name", "action"), WITH.items())
def test_it_fits_the_service_model(name: str, action: str) -> None:
    pytest.importorskip("botocore")
    found = made(name)
    assert validate(found) == []
    (only,) = found["actions"].values()
    assert only["actionId"] == action
    assert set(only["targets"].values()) == set(found["targets"])


def test_the_model_refuses_what_is_no_template() -> None:
    pytest.importorskip("botocore")
    broken = made("pod-kill") | {"stopConditions": "none"}
    assert "stopConditions" in validate(broken)[0]


def test_every_alarm_of_the_objectives_stops_it() -> None:
    values = [each["value"] for each in made("pod-kill")["stopConditions"]]
    assert [value.rpartition(":shop-")[2] for value in values] == alarm_names(SLO)
    assert alarm_names(SLO) == ["availability", "latency-reads-p95"]


def test_the_dose_is_that_of_the_experiment() -> None:
    delay = made("network-delay")["actions"]["fault"]["parameters"]
    assert (delay["delayMilliseconds"], delay["jitterMilliseconds"], delay["duration"]) == (
        "50",
        "10",
        "PT1M",
    )
    assert made("partition-redis")["actions"]["fault"]["parameters"]["port"] == "6379"
    assert made("cpu-stress")["targets"]["pods"]["selectionMode"] == "ALL"
    assert made("pod-kill")["targets"]["pods"]["selectionMode"] == "COUNT(1)"
    assert "duration" not in made("pod-kill")["actions"]["fault"]["parameters"]


def test_what_has_no_counterpart_is_listed_and_the_rest_written(tmp_path: Path) -> None:
    pytest.importorskip("botocore")
    lines = save_templates(load_experiments(available()), SLO, account(ARN), tmp_path)
    missing = {line.partition(":")[0] for line in lines if "no counterpart" in line}
    assert missing == set(available()) - set(WITH)
    written = {path.stem for path in tmp_path.glob("*.json")}
    assert written == set(WITH)
    assert json.loads((tmp_path / "pod-kill.json").read_text())["roleArn"].endswith(":role/shop-fis")


@pytest.mark.parametrize("arn", ["", "shop", "arn:aws:eks:eu-central-1:12:cluster/shop"])
def test_another_arn_is_refused(arn: str) -> None:
    with pytest.raises(TidegateError, match="no ARN of an EKS cluster"):
        account(arn)
