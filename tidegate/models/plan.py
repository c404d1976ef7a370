"""What was asked of one run, and with what: the first file of its folder."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import Field, JsonValue, model_validator

from tidegate.models.base import Count, Model, UnixSeconds
from tidegate.models.cluster import ClusterConfig
from tidegate.models.policy import Policy
from tidegate.models.slo import Slo

SCHEMA_VERSION = 1
"""Version of the run folder's format."""


def run_name(created_s: float, scenario: str) -> str:
    """Return the folder name of a run: `<UTC yyyymmddThhmmssZ>-<scenario>`.

    Characters that do not belong in a file name become dashes.
    """
    stamp = datetime.fromtimestamp(created_s, tz=UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{stamp}-{re.sub(r'[^A-Za-z0-9_.]+', '-', scenario).strip('-.') or 'run'}"


class Expectations(Model):
    """What the scenario is expected to make the cluster do, beside the SLO."""

    min_peak_ready_web: Count | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Fewest web pods that must be Ready at once at the peak. 1 to 1000.",
    )


class Plan(Model):
    """The plan of one run."""

    schema_version: Literal[1] = Field(default=1, description="Version of the run folder's format.")
    run_id: str = Field(
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$",
        description="Name of the run, also of its folder; see `run_name`.",
    )
    created_s: UnixSeconds = Field(gt=0, description="When the run was begun, unix seconds.")
    scenario: str = Field(min_length=1, max_length=100, description="Name of the load scenario.")
    scenario_parameters: dict[str, JsonValue] = Field(
        default_factory=dict[str, JsonValue], description="The scenario's parameters as they were given."
    )
    load_window_s: tuple[UnixSeconds, UnixSeconds] | None = Field(
        default=None,
        description="First and last moment of the load that counts, unix seconds. Unset until it has run.",
    )
    policy: Policy = Field(description="The policy the cluster ran with.")
    slo: Slo = Field(description="The objectives the run is judged by.")
    cluster: ClusterConfig = Field(description="The cluster it ran on.")
    versions: dict[str, str] = Field(
        default_factory=dict, description="Version of each program that took part."
    )
    host: dict[str, str] = Field(default_factory=dict, description="The machine: kernel, cores, memory.")
    expectations: Expectations = Field(
        default_factory=Expectations, description="What must be seen beside the SLO."
    )

    @model_validator(mode="after")
    def _window_runs_forward(self) -> Self:
        if self.load_window_s is not None and self.load_window_s[1] <= self.load_window_s[0]:
            raise ValueError(
                f"load_window_s ends at {self.load_window_s[1]}, not after {self.load_window_s[0]}"
            )
        return self

    def with_load_window(self, start_s: float, end_s: float) -> Plan:
        """Return the plan with the load window filled in (unix seconds)."""
        return Plan.model_validate({**dict(self), "load_window_s": (start_s, end_s)})
