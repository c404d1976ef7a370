"""The local cluster the kit makes."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tidegate.models.base import Count, Model, Port


class ClusterConfig(Model):
    """A kind cluster: one control plane node and `workers` more."""

    name: str = Field(
        default="tidegate",
        pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
        description="Name of the cluster, a DNS label, at most 40 characters: kind names containers by it.",
    )
    workers: Count = Field(
        default=2,
        ge=1,
        le=20,
        description="Worker nodes beside the control plane. 1 to 20; with 2, one may be lost.",
    )
    gateway_port: Port = Field(
        default=8080,
        ge=1,
        le=65_535,
        description="Port on 127.0.0.1 that reaches the gateway. 1 to 65535; below 1024 usually needs root.",
    )
    api_port: Port | None = Field(
        default=None,
        ge=1,
        le=65_535,
        description="Port on 127.0.0.1 of the Kubernetes API. Unset: any free one.",
    )

    @model_validator(mode="after")
    def _ports_apart(self) -> Self:
        if self.gateway_port == self.api_port:
            raise ValueError(f"gateway_port and api_port are both {self.api_port}")
        return self
