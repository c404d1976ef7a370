"""Nodes of one shape that the cluster-autoscaler may add and take away."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from tidegate.models.base import Count, MebiBytes, MilliCores, Model

GROUP_LABEL = "tidegate.io/node-group"
"""Label of a node, and key of the taint of a dedicated one, whose value is the group's name."""

BEGUN_LABEL = "tidegate.io/begun-s"
"""Label of a node that was added: when the making of it began, unix seconds of this machine's clock."""

JOINING_LABEL = "tidegate.io/joining-s"
"""Label of a node that was added: when its container stood and it was told to join, unix seconds."""


class NodeGroup(Model):
    """One node group. Sizes are what the scheduler sees; on kind the rest of the machine is reserved."""

    name: str = Field(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?$",
        description="Name of the group, a DNS label, at most 12 characters: its nodes are called by it.",
    )
    min_nodes: Count = Field(
        default=0, ge=0, le=50, description="Fewest nodes of the group. 0 to 50; 0 costs nothing when idle."
    )
    max_nodes: Count = Field(
        default=3,
        ge=1,
        le=50,
        description="Most nodes of the group. 1 to 50; on one machine they all share its cores.",
    )
    cpu_m: MilliCores = Field(
        default=1000,
        ge=100,
        le=256_000,
        description="CPU that a node has for pods, milli-cores. 100 to 256000; not above the machine's.",
    )
    memory_mi: MebiBytes = Field(
        default=1024,
        ge=128,
        le=4_194_304,
        description="Memory that a node has for pods, mebibytes. 128 to 4194304; not above the machine's.",
    )
    dedicated: bool = Field(
        default=False,
        description=f"Whether only pods that tolerate the taint {GROUP_LABEL}=NAME:NoSchedule may come.",
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min_nodes > self.max_nodes:
            raise ValueError(f"min_nodes {self.min_nodes} is above max_nodes {self.max_nodes}")
        return self
