"""Redis 7: the queue between the service and its workers, so it writes to disk and never evicts."""

from __future__ import annotations

import hashlib

import pulumi

from infra.data.stateful import database
from infra.manifests import DATA_NAMESPACE, Manifest, meta, resources

NAME = "redis"
PORT = 6379

_MAX_MEMORY_MB = 192

SETTINGS = f"""\
bind * -::*
port {PORT}
protected-mode yes
daemonize no
dir /data
appendonly yes
appendfsync everysec
save ""
maxmemory {_MAX_MEMORY_MB}mb
maxmemory-policy noeviction
tcp-keepalive 60
timeout 0
"""


def redis(image: str, password: pulumi.Input[str]) -> list[Manifest]:
    """Return Redis' objects.

    Args:
        image: reference of the official image, or of one with Debian's package.
        password: of the default user; letters and digits only.
    """
    text = pulumi.Output.concat(SETTINGS, "requirepass ", password, "\n")
    ping = ["sh", "-c", 'REDISCLI_AUTH="$(cat /secrets/password)" redis-cli ping | grep -q PONG']
    container = {
        "image": image,
        "command": ["redis-server", "/secrets/redis.conf"],
        "startupProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1, "failureThreshold": 60},
        # A Redis that still reads its log accepts connections and answers LOADING: only a real answer counts.
        "readinessProbe": {"exec": {"command": ping}, "periodSeconds": 10, "timeoutSeconds": 5},
        "livenessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 15, "failureThreshold": 4},
        "resources": resources(50, 64, cpu_limit_m=500, memory_limit_mi=384),
        "volumeMounts": [{"name": "secrets", "mountPath": "/secrets", "readOnly": True}],
    }
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta(NAME, DATA_NAMESPACE),
        "type": "Opaque",
        "stringData": {"redis.conf": text, "password": password},
    }
    volumes = [{"name": "secrets", "secret": {"secretName": NAME, "defaultMode": 0o440}}]
    revision = hashlib.sha256(SETTINGS.encode()).hexdigest()[:16]
    return [
        secret,
        *database(
            NAME, PORT, container, storage="1Gi", data_path="/data", volumes=volumes, config_hash=revision
        ),
    ]
