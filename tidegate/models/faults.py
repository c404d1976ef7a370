"""What a stack has on board to break itself with."""

from __future__ import annotations

from pydantic import Field

from tidegate.models.base import Model


class FaultsConfig(Model):
    """The layer `faults`. Off unless asked for: its daemon is privileged on every worker."""

    chaos_mesh: bool = Field(
        default=False,
        description="Whether Chaos Mesh is deployed, limited to the service's namespace. Not for production.",
    )
