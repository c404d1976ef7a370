"""What a policy needs beside what every deployment runs."""

from __future__ import annotations

from tidegate.models.policy import Policy

KEDA_DEFINITIONS = "keda-definitions"
VPA_DEFINITIONS = "vpa-definitions"
"""Names in the catalogue of the files that hold custom resource definitions."""


def controllers(policy: Policy) -> list[str]:
    """Return images of the catalogue, all of the role `option`; none where nothing more is asked for."""
    wanted = (
        (policy.web.nginx.enabled, ("nginx",)),
        (policy.needs_cluster_autoscaler, ("cluster-autoscaler",)),
        (policy.needs_keda, ("keda", "keda-metrics-apiserver")),
        (policy.needs_vpa, ("vpa-recommender",)),
        (policy.applies_vpa, ("vpa-updater", "vpa-admission-controller")),
    )
    return [name for needed, names in wanted if needed for name in names]


def definitions(policy: Policy) -> list[str]:
    """Return files of the catalogue that define the kinds those controllers act on."""
    wanted = ((policy.needs_keda, KEDA_DEFINITIONS), (policy.needs_vpa, VPA_DEFINITIONS))
    return [name for needed, name in wanted if needed]
