"""Give the node server its settings and start it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infra.cluster import docker
from infra.cluster.kind import network_name
from tidegate.models.node_group import NodeGroup
from tidegate.nodes.certificates import bundle
from tidegate.nodes.process import free_port, start
from tidegate.nodes.settings import ServerSettings


def create(cluster: str, groups: Sequence[str]) -> dict[str, str]:
    """Start the server of `cluster` with new certificates; return what its client must know, and its own.

    It listens at this machine's address on the cluster's own network, which nodes and pods reach and
    others do not.

    Raises:
        TidegateError: the engine runs on another machine, or the server did not start.
    """
    host = docker.gateway_address(network_name(cluster))
    made = bundle([host])
    known = {
        "address": f"{host}:{free_port(host)}",
        "authority": made.authority,
        "certificate": made.client.certificate,
        "key": made.client.key,
        "server_certificate": made.server.certificate,
        "server_key": made.server.key,
    }
    restart(cluster, groups, known)
    return known


def restart(cluster: str, groups: Sequence[str], known: Mapping[str, Any]) -> None:
    """Start the server of `cluster` for `groups`, with what `create` returned.

    Raises:
        TidegateError: the server did not start.
    """
    ServerSettings(
        cluster=cluster,
        address=known["address"],
        groups=tuple(NodeGroup.model_validate_json(each) for each in groups),
        authority=known["authority"],
        certificate=known["server_certificate"],
        key=known["server_key"],
    ).save()
    start(cluster)
