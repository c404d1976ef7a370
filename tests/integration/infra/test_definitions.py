"""Objects of the chart against the definitions that the controllers' own modules bring along."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, cast

import jsonschema_rs
import pytest

from infra import helm
from infra.autoscaling import keda, vpa
from infra.cluster.docker import tool_env
from infra.manifests import Manifest
from infra.service.values import chart_values
from tidegate.images import ensure_files
from tidegate.images.controllers import KEDA_DEFINITIONS, VPA_DEFINITIONS
from tidegate.models.policy import Policy

pytestmark = pytest.mark.integration

CHART = Path(__file__).resolve().parents[3] / "charts" / "tidegate-service"

RULES = {
    "stabilization_window_s": 30,
    "policies": [
        {"type": "Percent", "value": 900, "period_s": 15},
        {"type": "Pods", "value": 40, "period_s": 15},
    ],
}
EVERYTHING = {
    "web": {
        "hpa": {"metric": "rps", "tolerance_up": 0.05, "tolerance_down": 0.2, "scale_up": RULES},
        "vpa": {"mode": "InPlaceOrRecreate", "resources": "both"},
    },
    "worker": {"scale_by": "queue", "vpa": {"mode": "Off"}},
}


@pytest.fixture(scope="module")
def definitions() -> dict[str, Manifest]:
    """Kind to its definition."""
    found = [
        *keda.custom_resources(ensure_files(KEDA_DEFINITIONS)),
        *vpa.custom_resources(ensure_files(VPA_DEFINITIONS)),
    ]
    return {each["spec"]["names"]["kind"]: each for each in found}


@pytest.fixture(scope="module")
def objects() -> list[Manifest]:
    if shutil.which("helm", path=tool_env()["PATH"]) is None:
        if os.environ.get("CI") == "true":
            pytest.fail("helm is not on PATH")
        pytest.skip("helm is not on PATH; `tidegate doctor` tells how to get it")
    values = chart_values(Policy.model_validate(EVERYTHING), "tidegate/service:test")
    return helm.template(CHART, "tidegate", "tidegate", values)


def strict(schema: Any) -> Any:
    """Refuse what a definition does not know: the API server would drop it without a word."""
    if isinstance(schema, list):
        return [strict(each) for each in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    known = cast("dict[str, Any]", schema)
    made = {key: strict(value) for key, value in known.items()}
    if "properties" in known and known.get("type") == "object" and "additionalProperties" not in known:
        made["additionalProperties"] = False
    return made


def problems(each: Manifest, definition: Manifest) -> list[str]:
    version = each["apiVersion"].partition("/")[2]
    (schema,) = [
        served["schema"]["openAPIV3Schema"]
        for served in definition["spec"]["versions"]
        if served["name"] == version and served["served"]
    ]
    spec = strict(schema["properties"]["spec"])
    return [str(found.message) for found in jsonschema_rs.validator_for(spec).iter_errors(each["spec"])]


def test_every_kind_that_the_controllers_look_for_is_defined(definitions: dict[str, Manifest]) -> None:
    assert set(definitions) == {
        "CloudEventSource",
        "ClusterCloudEventSource",
        "ClusterTriggerAuthentication",
        "ScaledJob",
        "ScaledObject",
        "TriggerAuthentication",
        "VerticalPodAutoscaler",
        "VerticalPodAutoscalerCheckpoint",
    }


@pytest.mark.parametrize("kind", ["ScaledObject", "VerticalPodAutoscaler"])
def test_what_the_chart_makes_is_what_is_defined(
    definitions: dict[str, Manifest], objects: list[Manifest], kind: str
) -> None:
    found = [each for each in objects if each["kind"] == kind]
    assert len(found) == 2
    for each in found:
        assert problems(each, definitions[kind]) == [], each["metadata"]["name"]


def test_a_field_that_is_not_defined_would_be_noticed(
    definitions: dict[str, Manifest], objects: list[Manifest]
) -> None:
    (first, *_) = [each for each in objects if each["kind"] == "ScaledObject"]
    wrong = {**first, "spec": {**first["spec"], "minReplicas": 2}}
    assert problems(wrong, definitions["ScaledObject"])


def test_definitions_are_small(definitions: dict[str, Manifest]) -> None:
    # Pulumi keeps each of them several times in a state file that it writes at every step.
    assert sum(len(str(each)) for each in definitions.values()) < 200_000
