"""The lines that `tidegate hpa decide` prints."""

from __future__ import annotations

from typing import Any

from pydantic import Field, TypeAdapter

from tidegate.models.base import Model
from tidegate.simulate.wire.history import History
from tidegate.simulate.world.parameters import World


class LimitedBy(Model):
    """One rule that changed the number."""

    by: str = Field(description="The rule: a window, a bound, or the reason of ScalingLimited.")
    before: int
    after: int


class PodCounts(Model):
    """Pods by what their number is worth."""

    counted: int
    unready: int
    missing: int
    ignored: int


class MetricShown(Model):
    """What one metric asks for."""

    type: str
    name: str
    replicas: int | None = Field(description="null: the metric is invalid.")
    value: int | None = Field(default=None, description="Percent, or milli-units.")
    target: int | None = Field(default=None, description="Percent, or milli-units.")
    ratio: float | None = Field(default=None, description="Value over target; null: not finite.")
    because: str | None = Field(default=None, description="What settled the number.")
    filled_ratio: float | None = Field(default=None, description="The ratio with a number for every pod.")
    pods: PodCounts | None = None
    reason: str | None = Field(default=None, description="Of an invalid metric: the condition's reason.")
    error: str | None = Field(default=None, description="Of an invalid metric.")


class ReasonShown(Model):
    """A statement, and what it rests on."""

    text: str
    parts: tuple[ReasonShown, ...]


class Explained(Model):
    """With `--explain`: why."""

    why: str
    metrics: tuple[MetricShown, ...]
    recommended: int | None = Field(description="What the metrics ask for together, before any rule.")
    limited_by: tuple[LimitedBy, ...]
    tree: ReasonShown


class DecisionShown(Model):
    """The decision of one sync."""

    t_s: float
    spec_replicas: int = Field(description="As read.")
    desired_replicas: int = Field(description="What the Scale has after the sync.")
    conditions: dict[str, str] = Field(description="Status/Reason by type, after the sync.")
    error: str = Field(description="Empty, or what the sync returned.")
    explain: Explained | None = None


class Decisions(Model):
    """The line for a good line: one decision a sync."""

    decisions: tuple[DecisionShown, ...]


class BadLine(Model):
    """The line for a bad line."""

    error: str
    line: int = Field(description="Counted from 1.")
    at: str = Field(description="Place in the line, for example syncs[2].pods[0].phase.")


def line_schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON schemas of the lines: `hpa-history` (input), `hpa-decisions` (output), and `world`."""
    output: TypeAdapter[Any] = TypeAdapter(Decisions | BadLine)
    return {
        "hpa-history": History.model_json_schema(),
        "hpa-decisions": output.json_schema(),
        "world": World.model_json_schema(),
    }
