"""The observability layer: metrics for the autoscaler, and metrics for people."""

from __future__ import annotations

from infra.observability.layer import Observability, ObservabilityArgs

__all__ = ["Observability", "ObservabilityArgs"]
