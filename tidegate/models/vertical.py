"""What a VerticalPodAutoscaler may do to one workload."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from tidegate.models.base import MebiBytes, MilliCores, Model


class VpaPolicy(Model):
    """The VerticalPodAutoscaler of a workload. It changes requests only, never limits."""

    mode: Literal["none", "Off", "Initial", "Recreate", "InPlaceOrRecreate"] = Field(
        default="none",
        description="What is done with a recommendation: none makes none at all, Off only publishes it, the "
        "others apply it. Try Off first: its figures are in the report.",
    )
    resources: Literal["memory", "cpu", "both"] = Field(
        default="memory",
        description="Which requests it recommends. Applied, it must be one that no HPA scales on.",
    )
    min_cpu_m: MilliCores = Field(
        default=25, ge=1, le=64_000, description="Least CPU it may request, milli-cores. 1 to 64000."
    )
    max_cpu_m: MilliCores = Field(
        default=500,
        ge=1,
        le=64_000,
        description="Most CPU it may request, milli-cores. 1 to 64000; not above the pod's own limit.",
    )
    min_memory_mi: MebiBytes = Field(
        default=64, ge=16, le=262_144, description="Least memory it may request, mebibytes. 16 to 262144."
    )
    max_memory_mi: MebiBytes = Field(
        default=256,
        ge=16,
        le=262_144,
        description="Most memory it may request, mebibytes. 16 to 262144; not above the pod's own limit.",
    )

    @field_validator("mode", mode="before")
    @classmethod
    def _bare_off(cls, value: object) -> object:
        """Take YAML's `mode: Off`, which is a false there, for the word that was written."""
        return "Off" if value is False else value

    @property
    def acts(self) -> bool:
        """Whether it changes pods, not only publishes."""
        return self.mode not in ("none", "Off")

    @property
    def controlled(self) -> tuple[Literal["cpu", "memory"], ...]:
        """The resources it recommends, as the API names them."""
        return ("cpu", "memory") if self.resources == "both" else (self.resources,)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for low, high in (("min_cpu_m", "max_cpu_m"), ("min_memory_mi", "max_memory_mi")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} {getattr(self, low)} is above {high} {getattr(self, high)}")
        return self

    def require_below_limits(self, cpu_limit_m: int | None, memory_limit_mi: int) -> None:
        """Refuse bounds above the pod's limits: the API server refuses a pod that requests more than it may.

        Raises:
            ValueError: a bound of an applied resource is above the limit.
        """
        if not self.acts:
            return
        limits = {"cpu": ("max_cpu_m", cpu_limit_m), "memory": ("max_memory_mi", memory_limit_mi)}
        for resource in self.controlled:
            name, limit = limits[resource]
            if limit is not None and getattr(self, name) > limit:
                raise ValueError(f"vpa.{name} {getattr(self, name)} is above the pod's limit {limit}")
