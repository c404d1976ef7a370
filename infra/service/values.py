"""Values of the service's chart, from the policy and from what the layers below made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from infra.cluster.config import POD_CIDR
from infra.data.postgres import MAX_CONNECTIONS
from infra.manifests import DATA_NAMESPACE, GATEWAY_NAMESPACE, OBSERVABILITY_NAMESPACE
from infra.network.edge import GATEWAY
from tidegate.errors import TidegateError
from tidegate.models.policy import Policy

DATABASE_SECRET = "tidegate-database"  # noqa: S105 - the object's name
REDIS_SECRET = "tidegate-redis"  # noqa: S105 - the object's name
URL_KEY = "url"
AUTH_SECRET = "tidegate-auth"  # noqa: S105 - the object's name
KEYS_KEY = "keys"
DEMO_SECRET = "tidegate-demo"  # noqa: S105 - the object's name
PASSWORD_KEY = "password"  # noqa: S105 - its key

_POOL = 5
"""Connections a pod keeps when there is room for all pods: what one event loop can use."""

_RESERVED_CONNECTIONS = 10
"""For migrations, PostgreSQL's superuser, and a person with psql."""

_RATE_LIMITS = {"reads": "120000/minute", "writes": "12000/minute", "logins": "6000/minute"}
"""Far above what one machine can load: here all callers share one address, and load tests a few accounts."""

_SURGE = 0.25
"""Share of the web pods that a rolling update starts before it stops any; the chart's maxSurge."""


def chart_values(policy: Policy, image: str, *, nginx_image: str | None = None) -> dict[str, Any]:
    """Return the values for `policy` and the service image `image` (`repository:tag`).

    Raises:
        TidegateError: the policy allows more pods than the database has connections for.
    """
    repository, _, tag = image.rpartition(":")
    fixed: dict[str, Any] = {
        "image": {"repository": repository, "tag": tag},
        "web": {
            "dbPoolSize": pool_size(policy),
            "rateLimits": _RATE_LIMITS,
            "trustedProxies": [POD_CIDR],
            **({"nginx": {"image": nginx_image}} if nginx_image else {}),
        },
        "database": {"existingSecret": DATABASE_SECRET, "urlKey": URL_KEY},
        "redis": {"existingSecret": REDIS_SECRET, "urlKey": URL_KEY},
        "auth": {"existingSecret": AUTH_SECRET, "keysKey": KEYS_KEY},
        "demo": {"existingSecret": DEMO_SECRET, "passwordKey": PASSWORD_KEY},
        "gateway": {"name": GATEWAY, "namespace": GATEWAY_NAMESPACE},
        "networkPolicy": {
            "dataNamespace": DATA_NAMESPACE,
            "prometheusNamespace": OBSERVABILITY_NAMESPACE,
        },
    }
    return merge(policy.chart_values(), fixed)


def pool_size(policy: Policy) -> int:
    """Return the connections one pod may keep so that as many pods as can exist share the database.

    Raises:
        TidegateError: there is not one for every pod.
    """
    most = policy.web.hpa.max_replicas
    pods = most + math.ceil(most * _SURGE) + policy.worker.most_replicas
    # A pod keeps one more than its pool, for its readiness probe.
    size = min(_POOL, (MAX_CONNECTIONS - _RESERVED_CONNECTIONS) // pods - 1)
    if size < 1:
        raise TidegateError(
            f"{pods} pods need more than the {MAX_CONNECTIONS} connections PostgreSQL takes",
            where="tidegate:policy web.hpa.max_replicas",
            cure="lower it, or raise MAX_CONNECTIONS in infra/data/postgres.py",
        )
    return size


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with `over` laid on it, mapping by mapping."""
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            value = merge(cast("dict[str, Any]", below), cast("dict[str, Any]", value))
        merged[key] = value
    return merged
