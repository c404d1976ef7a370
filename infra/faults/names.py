"""Names and ports that the parts of the layer share."""

from __future__ import annotations

from infra.manifests import name_label

NAMESPACE = "chaos-mesh"
CONTROLLER = "chaos-controller-manager"
DAEMON = "chaos-daemon"

GRPC_PORT = 31767
DAEMON_HTTP_PORT = 31766
WEBHOOK_PORT = 9443
METRICS_PORT = 10080
"""All four are Chaos Mesh's own defaults."""

SERVER_NAME = "chaos-daemon.chaos-mesh.org"
"""What the controller expects the daemon's certificate to be for (pkg/grpc/utils.go of Chaos Mesh)."""

CONTROLLER_LABELS = name_label(CONTROLLER)
