"""Which images a policy needs beside those that every deployment runs."""

from __future__ import annotations

from tidegate.models.policy import Policy


def controllers(policy: Policy) -> list[str]:
    """Return names of the catalogue, all of the role `option`; none where nothing more is asked for."""
    return ["cluster-autoscaler"] if policy.needs_cluster_autoscaler else []
