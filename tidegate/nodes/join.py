"""The files with which kubeadm lets a node join as kind's own nodes did."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tidegate.errors import TidegateError
from tidegate.models.node_group import BEGUN_LABEL, GROUP_LABEL, JOINING_LABEL, NodeGroup
from tidegate.nodes.host import Capacity

PATCHES = "/kind/tidegate-patches"
"""Folder in the node with the kubelet's own settings; kubeadm merges them over those of the cluster."""

PATCH_FILE = f"{PATCHES}/kubeletconfiguration0+merge.json"
"""The name says what is patched and how: kubeadm's `patches.directory`."""


@dataclass(frozen=True)
class Invitation:
    """What the control plane gave out for one join.

    Args:
        endpoint: host and port of the API server.
        token: bootstrap token.
        ca_hash: `sha256:...` of the cluster's certificate authority.
    """

    endpoint: str
    token: str
    ca_hash: str


def invitation(join_command: str) -> Invitation:
    """Read what `kubeadm token create --print-join-command` printed.

    Raises:
        TidegateError: it is not a join command.
    """
    words = join_command.split()
    try:
        endpoint = words[words.index("join") + 1]
        token = words[words.index("--token") + 1]
        ca_hash = words[words.index("--discovery-token-ca-cert-hash") + 1]
    except (ValueError, IndexError) as error:
        raise TidegateError("kubeadm printed no join command") from error
    return Invitation(endpoint, token, ca_hash)


def provider_id(cluster: str, node: str) -> str:
    """Return the Node's providerID, as kind gives it (kind v0.33.0, kubeadm/config.go)."""
    return f"kind://docker/{cluster}/{node}"


def node_name(provider: str, cluster: str) -> str | None:
    """Return the node's name in a providerID; None for one of another cluster or cloud."""
    head = provider_id(cluster, "")
    return provider.removeprefix(head) if provider.startswith(head) and provider != head else None


def labels(group: NodeGroup) -> dict[str, str]:
    """Return the labels that every node of `group` has beside those that the kubelet sets."""
    return {GROUP_LABEL: group.name}


def taints(group: NodeGroup) -> list[dict[str, str]]:
    """Return the taints of every node of `group`."""
    if not group.dedicated:
        return []
    return [{"key": GROUP_LABEL, "value": group.name, "effect": "NoSchedule"}]


@dataclass(frozen=True)
class Moments:
    """When steps of making a node began, unix seconds. The node carries them, so that a Run can tell them.

    Args:
        begun_s: the making of it.
        joining_s: its joining.
    """

    begun_s: float
    joining_s: float

    def labels(self) -> dict[str, str]:
        """Return them as labels of the node."""
        return {BEGUN_LABEL: f"{self.begun_s:.3f}", JOINING_LABEL: f"{self.joining_s:.3f}"}


def join_configuration(
    cluster: str, node: str, group: NodeGroup, address: str, invited: Invitation, moments: Moments
) -> str:
    """Return kubeadm's JoinConfiguration as JSON, which is YAML too.

    Preflight is skipped as kind skips it: a kind node has its images already, and swap is the host's.

    Args:
        cluster: name of the cluster.
        node: name of the node.
        group: its group.
        address: the node's own address on the cluster's network.
        invited: from the control plane.
        moments: when what was done so far began.
    """
    told = {**labels(group), **moments.labels()}
    extra = {
        "node-ip": address,
        "provider-id": provider_id(cluster, node),
        "node-labels": ",".join(f"{key}={value}" for key, value in told.items()),
    }
    document = {
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "kind": "JoinConfiguration",
        "discovery": {
            "bootstrapToken": {
                "apiServerEndpoint": invited.endpoint,
                "token": invited.token,
                "caCertHashes": [invited.ca_hash],
            }
        },
        "nodeRegistration": {
            "name": node,
            "criSocket": "unix:///run/containerd/containerd.sock",
            "kubeletExtraArgs": [{"name": name, "value": value} for name, value in extra.items()],
            "taints": taints(group),
        },
        "patches": {"directory": PATCHES},
        "skipPhases": ["preflight"],
    }
    return json.dumps(document, indent=1)


def kubelet_patch(group: NodeGroup, capacity: Capacity) -> str:
    """Return the kubelet's settings that leave exactly the group's size to pods.

    A kind node reports all of the machine. What is not the group's is reserved for the system, so the
    scheduler sees a node of the group's size, and the kubelet also holds the pods to it.

    Raises:
        TidegateError: the machine is smaller than the group's nodes.
    """
    cpu_m = capacity.cpu_m - group.cpu_m
    memory_ki = capacity.memory_ki - group.memory_mi * 1024
    if cpu_m < 0 or memory_ki < 0:
        raise TooSmall(
            f"a node of {group.name} has {group.cpu_m}m CPU and {group.memory_mi}Mi, "
            f"this machine {capacity.cpu_m}m and {capacity.memory_ki // 1024}Mi"
        )
    return json.dumps({"systemReserved": {"cpu": f"{cpu_m}m", "memory": f"{memory_ki}Ki"}})


class TooSmall(TidegateError):  # noqa: N818 - names what is wrong with the machine
    """The machine cannot have a node of that size."""
