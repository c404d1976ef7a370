"""What a simulation adds up, and the time around its load."""

from __future__ import annotations

from dataclasses import dataclass

LEAD_S = 120.0
"""Seconds before the load, in which the pods of the beginning get their first samples."""
TAIL_S = 60.0
"""Seconds after the load that are still simulated."""


@dataclass
class Totals:
    """Sums over the time from the beginning of the load to its end."""

    length_s: float = 0.0
    requests: int = 0
    failed: int = 0
    used_core_s: float = 0.0
    replica_s: float = 0.0
    node_s: float = 0.0
    rescales: int = 0
    most_replicas: int = 0
