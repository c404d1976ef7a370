"""How the number of workers follows the queue."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tidegate.models.base import Count, Model, Seconds


class QueuePolicy(Model):
    """KEDA's scaling of the workers; counts only where `worker.scale_by` is queue."""

    min_replicas: Count = Field(
        default=0,
        ge=0,
        le=1000,
        description="Fewest workers. 0 to 1000; 0 costs the first order a pod's start.",
    )
    max_replicas: Count = Field(
        default=8,
        ge=1,
        le=1000,
        description="Most workers. 1 to 1000; each takes a share of the database's connections.",
    )
    depth_target: Count = Field(
        default=20,
        ge=1,
        le=1_000_000,
        description="Waiting orders for each worker. 1 to 1000000; workers are depth over this, rounded up.",
    )
    age_target_s: Seconds = Field(
        default=10,
        ge=1,
        le=86_400,
        description="Age of the oldest order aimed at. 1 to 86400 s; at twice the age, twice the workers.",
    )
    polling_s: Seconds = Field(
        default=5,
        ge=1,
        le=300,
        description="Seconds between looks while there is no worker. 1 to 300; below the 5 s scrape it sees "
        "nothing new.",
    )
    cooldown_s: Seconds = Field(
        default=60,
        ge=0,
        le=3600,
        description="Seconds with an empty queue until the last worker goes. 0 to 3600; short ones flap.",
    )
    scale_down_window_s: Seconds = Field(
        default=300,
        ge=0,
        le=3600,
        description="Seconds over which the highest number of workers wins. 0 to 3600; short ones flap.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_replicas > self.max_replicas:
            raise ValueError(f"min_replicas {self.min_replicas} is above max_replicas {self.max_replicas}")
        return self
