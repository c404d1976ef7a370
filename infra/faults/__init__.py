"""Chaos Mesh: the means to break the service on purpose, where a stack asks for it."""

from infra.faults.layer import Faults, FaultsArgs

__all__ = ["Faults", "FaultsArgs"]
