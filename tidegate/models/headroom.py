"""Room kept free on the nodes."""

from __future__ import annotations

from pydantic import Field

from tidegate.models.base import Count, MebiBytes, MilliCores, Model


class HeadroomPolicy(Model):
    """Pods that do nothing and give way at once: new nodes are bought before they are needed."""

    replicas: Count = Field(
        default=0,
        ge=0,
        le=100,
        description="Pods that hold room. 0 to 100; 0 saves the nodes, others save a node's start at a rise.",
    )
    cpu_m: MilliCores = Field(
        default=500,
        ge=1,
        le=64_000,
        description="CPU each of them holds, milli-cores. 1 to 64000; a web pod's request times a few.",
    )
    memory_mi: MebiBytes = Field(
        default=256, ge=4, le=262_144, description="Memory each of them holds, mebibytes. 4 to 262144."
    )
