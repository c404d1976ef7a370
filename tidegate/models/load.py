"""Whether a stack has room for load generators of its own."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tidegate.models.base import Count, MebiBytes, MilliCores, Model


class LoadConfig(Model):
    """The layer `load`. Off unless asked for: generators take CPU that the service could have."""

    in_cluster: bool = Field(
        default=False,
        description="Whether `tidegate load --in-cluster` may run its generators as pods of the cluster.",
    )
    max_workers: Count = Field(
        default=4,
        ge=1,
        le=64,
        description="Most generating pods at once; the namespace's quota. 1 to 64. Each drives one core.",
    )
    worker_cpu_request_m: MilliCores = Field(
        default=500,
        ge=50,
        le=2000,
        description="CPU that the scheduler sets aside for one of them. 50 to 2000; with too little, on a "
        "full node the generator is the limit.",
    )
    worker_cpu_limit_m: MilliCores = Field(
        default=1000,
        ge=100,
        le=2000,
        description="CPU it may use. 100 to 2000: one core is what a process can drive, the rest is for "
        "writing down what it saw.",
    )
    worker_memory_mi: MebiBytes = Field(
        default=512,
        ge=256,
        le=4096,
        description="Memory of one, requested and limited alike. 256 to 4096; 1000 connections fit into 512.",
    )

    @model_validator(mode="after")
    def _request_within_limit(self) -> Self:
        if self.worker_cpu_request_m > self.worker_cpu_limit_m:
            raise ValueError(
                f"worker_cpu_request_m {self.worker_cpu_request_m} is above "
                f"worker_cpu_limit_m {self.worker_cpu_limit_m}"
            )
        return self
