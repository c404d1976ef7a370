"""The machine layer: a kind cluster, the images on its nodes, and generated passwords."""

from __future__ import annotations

from infra.cluster.layer import Cluster, ClusterArgs

__all__ = ["Cluster", "ClusterArgs"]
