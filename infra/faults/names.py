"""Names and ports that the parts of the layer share."""

from __future__ import annotations

from infra.manifests import name_label

NAMESPACE = "chaos-mesh"
CONTROLLER = "chaos-controller-manager"
DAEMON = "chaos-daemon"
DNS_SERVER = "chaos-dns-server"
DNS_SERVICE = "chaos-mesh-dns-server"

GRPC_PORT = 31767
DAEMON_HTTP_PORT = 31766
WEBHOOK_PORT = 9443
METRICS_PORT = 10080
DNS_PORT = 5353
DNS_GRPC_PORT = 9288
"""All six, and the names, are those of Chaos Mesh's own chart."""
DNS_HEALTH_PORT = 8080
"""CoreDNS' own default."""

SERVER_NAME = "chaos-daemon.chaos-mesh.org"
"""What the controller expects the daemon's certificate to be for (pkg/grpc/utils.go of Chaos Mesh)."""

CONTROLLER_LABELS = name_label(CONTROLLER)
