"""Who is told what happens in the simulated world."""

from __future__ import annotations

from typing import Protocol

from tidegate.simulate.hpa import Decision
from tidegate.simulate.world.pod import Pod


class Recorder(Protocol):
    """Is told what happens, at seconds since the load began."""

    def request(self, arrived_s: float, ended_s: float, status: int, pod: str | None) -> None:
        """A request ended, or was given up (status 0)."""

    def pod(self, now_s: float, event: str, pod: Pod) -> None:
        """A pod changed: ADDED, MODIFIED or DELETED."""

    def sampled(self, now_s: float, pod: Pod) -> None:
        """A new sample of a pod became visible in the metrics API."""

    def decided(self, now_s: float, decision: Decision) -> None:
        """The autoscaler made a sync."""

    def resized(self, now_s: float, replicas: int) -> None:
        """Somebody else than the autoscaler changed the Deployment's replicas."""

    def node(self, now_s: float, event: str, number: int) -> None:
        """A node came (ADDED) or went (DELETED)."""
