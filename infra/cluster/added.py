"""Nodes that the cluster-autoscaler added to a cluster since Pulumi made it."""

from __future__ import annotations

from collections.abc import Sequence

from infra.cluster import docker
from tidegate.nodes.kind import KindHost
from tidegate.nodes.marks import Stage, machines
from tidegate.proc import run


def added_nodes(nodes: Sequence[str]) -> list[str]:
    """Return the added nodes that have joined the cluster of `nodes`, and still have a container.

    One that is being made takes its images from an older node by itself.
    """
    if not nodes:
        return []
    shape = f'{{{{index .Config.Labels "{docker.KIND_CLUSTER_LABEL}"}}}}'
    cmd = ["docker", "inspect", "--format", shape, nodes[0]]
    host = KindHost(run(cmd, env=docker.tool_env(), timeout_s=60).stdout.strip())
    containers = host.containers()
    if not containers:
        return []
    found = machines(host.marks(), containers)
    return [each.node for each in found if each.stage is Stage.JOINED and each.node in containers]
