"""JSON schemas of the models, for editors and for other programs."""

from __future__ import annotations

from typing import Any

from tidegate.models.cluster import ClusterConfig
from tidegate.models.plan import Plan
from tidegate.models.policy import Policy
from tidegate.models.slo import Slo
from tidegate.models.stack import StackConfig
from tidegate.models.verdict import Verdict


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON schema (draft 2020-12) of each model by its lower-case name."""
    models = (Policy, Slo, ClusterConfig, StackConfig, Plan, Verdict)
    return {model.__name__.lower(): model.model_json_schema() for model in models}
