"""The autoscaling layer: what a policy asks for beside the HPA that the cluster brings along."""

from __future__ import annotations

from infra.autoscaling.layer import Autoscaling, AutoscalingArgs

__all__ = ["Autoscaling", "AutoscalingArgs"]
