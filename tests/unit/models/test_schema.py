from __future__ import annotations

from typing import Any

from tidegate.models import (
    ClusterConfig,
    DrainPolicy,
    HeadroomPolicy,
    HpaPolicy,
    LatencyObjective,
    NodeGroup,
    Policy,
    QueuePolicy,
    ScaleRule,
    ScaleRules,
    Slo,
    VpaPolicy,
    WebPolicy,
    WorkerPolicy,
    json_schemas,
)
from tidegate.models.load import LoadConfig

CONFIGURATION = (
    ClusterConfig,
    DrainPolicy,
    HeadroomPolicy,
    HpaPolicy,
    LatencyObjective,
    LoadConfig,
    NodeGroup,
    Policy,
    QueuePolicy,
    ScaleRule,
    ScaleRules,
    Slo,
    VpaPolicy,
    WebPolicy,
    WorkerPolicy,
)


def _numbers(schema: dict[str, Any]) -> list[dict[str, Any]]:
    parts = schema.get("anyOf", [schema])
    return [part for part in parts if part.get("type") in {"integer", "number"}]


def test_every_key_is_described_and_every_number_has_unit_and_range() -> None:
    for model in CONFIGURATION:
        for name, field in model.model_json_schema()["properties"].items():
            assert field.get("description"), f"{model.__name__}.{name}"
            for number in _numbers(field):
                assert number.get("unit"), f"{model.__name__}.{name}"
                assert {"minimum", "exclusiveMinimum"} & set(number), f"{model.__name__}.{name}"
                assert {"maximum", "exclusiveMaximum"} & set(number), f"{model.__name__}.{name}"


def test_schemas_are_exported_by_name_and_closed() -> None:
    schemas = json_schemas()
    names = {"policy", "slo", "cluster", "stack", "plan", "verdict", "hypothesis", "faults", "load"}
    assert set(schemas) == names
    assert all(schema["additionalProperties"] is False for schema in schemas.values())
    assert schemas["policy"]["$defs"]["ScaleRule"]["properties"]["period_s"]["maximum"] == 1800
