"""JSON schemas of the models, for editors and for other programs."""

from __future__ import annotations

from typing import Any

from tidegate.models.base import Model
from tidegate.models.cluster import ClusterConfig
from tidegate.models.faults import FaultsConfig
from tidegate.models.hypothesis import Hypothesis
from tidegate.models.load import LoadConfig
from tidegate.models.plan import Plan
from tidegate.models.policy import Policy
from tidegate.models.slo import Slo
from tidegate.models.stack import StackConfig
from tidegate.models.verdict import Verdict


def json_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON schemas (draft 2020-12) by the names below."""
    models: dict[str, type[Model]] = {
        "policy": Policy,
        "slo": Slo,
        "cluster": ClusterConfig,
        "stack": StackConfig,
        "plan": Plan,
        "verdict": Verdict,
        "hypothesis": Hypothesis,
        "faults": FaultsConfig,
        "load": LoadConfig,
    }
    return {name: model.model_json_schema() for name, model in models.items()}
