"""Room for load generators inside the cluster, where a stack asks for it."""

from infra.load.layer import Load, LoadArgs

__all__ = ["Load", "LoadArgs"]
