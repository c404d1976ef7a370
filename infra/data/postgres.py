"""PostgreSQL 15 without an operator: one pod, set up by a script of ours.

The official image's entry point does as much, but Debian's package has none; the script needs only what both
have, so either image works.
"""

from __future__ import annotations

import hashlib
from typing import Any

import pulumi

from infra.data.stateful import UID, database
from infra.manifests import DATA_NAMESPACE, Manifest, config_map, meta, resources

NAME = "postgres"
PORT = 5432
USER = "tidegate"
DATABASE = "tidegate"

MAX_CONNECTIONS = 200
"""Connections the server takes. Every web and worker pod brings a pool: their sum must stay below."""

_BIN = "/usr/lib/postgresql/15/bin"
_MOUNT = "/var/lib/postgresql/data"
_DATA = f"{_MOUNT}/pgdata"

_SETTINGS = {
    "listen_addresses": "*",
    "port": str(PORT),
    "max_connections": str(MAX_CONNECTIONS),
    "unix_socket_directories": "/tmp",  # noqa: S108 - a path in the pod
    "password_encryption": "scram-sha-256",
    "shared_buffers": "64MB",
}

# Made under another name first: a pod killed half-way leaves nothing that looks like a database.
_SCRIPT = f"""\
set -eu
PATH="{_BIN}:$PATH"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  draft="$PGDATA.draft"
  rm -rf "$draft"
  initdb --pgdata="$draft" --username=postgres --pwfile=/secrets/superuser \\
    --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
  echo 'host all all all scram-sha-256' >> "$draft/pg_hba.conf"
  postgres --single -D "$draft" postgres <<SQL
CREATE ROLE {USER} LOGIN PASSWORD '$(cat /secrets/password)'
CREATE DATABASE {DATABASE} OWNER {USER}
SQL
  mv "$draft" "$PGDATA"
fi
exec postgres -D "$PGDATA" "$@"
"""

# initdb refuses a user that has no name, and 999 has one in some images only.
_PASSWD = f"root:x:0:0:root:/root:/bin/sh\npostgres:x:{UID}:{UID}:PostgreSQL:{_MOUNT}:/bin/sh\n"


def postgres(
    image: str, password: pulumi.Input[str], superuser_password: pulumi.Input[str]
) -> list[Manifest]:
    """Return PostgreSQL's objects.

    Args:
        image: reference of the official image, or of one with Debian's package.
        password: of the role the service uses; letters and digits only.
        superuser_password: of the role `postgres`, which nothing uses by itself.
    """
    files = {"start.sh": _SCRIPT, "passwd": _PASSWD}
    args = [word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")]
    ready = ["sh", "-c", f"PATH={_BIN}:$PATH exec pg_isready --quiet --host=127.0.0.1 --dbname=postgres"]
    container: dict[str, Any] = {
        "image": image,
        "command": ["sh", "/scripts/start.sh"],
        "args": args,
        "env": [{"name": "PGDATA", "value": _DATA}],
        # The first start makes the database, which takes longer than a liveness probe waits.
        "startupProbe": {"exec": {"command": ready}, "periodSeconds": 2, "failureThreshold": 90},
        "readinessProbe": {"exec": {"command": ready}, "periodSeconds": 10, "timeoutSeconds": 5},
        "livenessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 15, "failureThreshold": 4},
        "resources": resources(100, 128, cpu_limit_m=1000, memory_limit_mi=512),
        "volumeMounts": [
            {"name": "scripts", "mountPath": "/scripts", "readOnly": True},
            {"name": "scripts", "mountPath": "/etc/passwd", "subPath": "passwd", "readOnly": True},
            {"name": "secrets", "mountPath": "/secrets", "readOnly": True},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a path in the pod
        ],
    }
    volumes = [
        {"name": "scripts", "configMap": {"name": NAME}},
        {"name": "secrets", "secret": {"secretName": NAME, "defaultMode": 0o440}},
        {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": meta(NAME, DATA_NAMESPACE),
        "type": "Opaque",
        "stringData": {"password": password, "superuser": superuser_password},
    }
    revision = hashlib.sha256("\n".join([*files.values(), *args]).encode()).hexdigest()[:16]
    return [
        secret,
        config_map(NAME, DATA_NAMESPACE, files),
        *database(
            NAME,
            PORT,
            container,
            storage="2Gi",
            data_path=_MOUNT,
            volumes=volumes,
            config_hash=revision,
        ),
    ]
