"""The typed models that carry all configuration.

`Policy` is what scales, `Slo` what is promised, `ClusterConfig` where, `Plan` one run of it. They know
nothing of the rest of the kit, so every other part may import them.
"""

from tidegate.models.cluster import ClusterConfig
from tidegate.models.headroom import HeadroomPolicy
from tidegate.models.node_group import NodeGroup
from tidegate.models.plan import SCHEMA_VERSION, Expectations, Plan, run_name
from tidegate.models.policy import (
    DrainPolicy,
    HpaPolicy,
    NginxPolicy,
    Policy,
    ScaleRule,
    ScaleRules,
    WebPolicy,
    WorkerPolicy,
)
from tidegate.models.queue import QueuePolicy
from tidegate.models.schema import json_schemas
from tidegate.models.slo import OTHER_GROUP, LatencyObjective, Slo
from tidegate.models.stack import StackConfig, load_stack
from tidegate.models.verdict import Check, Outcome, Verdict
from tidegate.models.vertical import VpaPolicy

__all__ = [
    "OTHER_GROUP",
    "SCHEMA_VERSION",
    "Check",
    "ClusterConfig",
    "DrainPolicy",
    "Expectations",
    "HeadroomPolicy",
    "HpaPolicy",
    "LatencyObjective",
    "NginxPolicy",
    "NodeGroup",
    "Outcome",
    "Plan",
    "Policy",
    "QueuePolicy",
    "ScaleRule",
    "ScaleRules",
    "Slo",
    "StackConfig",
    "Verdict",
    "VpaPolicy",
    "WebPolicy",
    "WorkerPolicy",
    "json_schemas",
    "load_stack",
    "run_name",
]
