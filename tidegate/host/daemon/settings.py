"""What can be chosen about an engine of our own."""

from __future__ import annotations

import ipaddress
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class EngineSettings(BaseModel):
    """How an engine of our own is started. The defaults suit a machine that runs no other engine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iptables: bool = Field(
        default=True,
        description="Let the engine write firewall rules. Without them containers reach each other and "
        "published ports answer on this machine, but nothing is translated to the outside. Two engines on "
        "one machine share the same chains, so a second one must do without.",
    )
    bridge: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,14}$")] | None = Field(
        default=None,
        description="Name of a bridge to make for the default network (at most 15 characters, the kernel's "
        "limit); None is the engine's own docker0.",
    )
    bip: str | None = Field(
        default=None,
        description="Address of the default bridge with its prefix length, as 10.213.0.1/24; None lets the "
        "engine choose one that collides with no route.",
    )
    ready_timeout_s: float = Field(
        default=90.0, gt=0, le=600, description="Seconds until an engine that does not answer has failed."
    )
    shutdown_timeout_s: int = Field(
        default=20, ge=1, le=300, description="Seconds that running containers get to end at a stop."
    )

    @model_validator(mode="after")
    def _addresses(self) -> EngineSettings:
        if self.bip is not None:
            interface = ipaddress.IPv4Interface(self.bip)
            if interface.network.prefixlen > 30 or interface.ip == interface.network.network_address:
                raise ValueError(f"{self.bip} is no host address in a network of two or more hosts")
        if self.bridge is not None and self.bip is None:
            raise ValueError("a bridge of its own needs `bip`: the engine chooses no address for it")
        return self
