"""The network layer: routes between nodes, NetworkPolicy, and the gateway."""

from __future__ import annotations

from infra.network.layer import Network, NetworkArgs

__all__ = ["Network", "NetworkArgs"]
