"""Describe a node that does not exist, so that the autoscaler can plan with a group that has none."""

from __future__ import annotations

from tidegate.models.node_group import NodeGroup
from tidegate.nodes.host import Capacity
from tidegate.nodes.join import labels, taints
from tidegate.nodes.wire import kubenode_pb2 as wire

_PODS = 110
"""The kubelet's own default of maxPods, which kind leaves alone."""


def template(group: NodeGroup, capacity: Capacity) -> bytes:
    """Return a Node of `group`, as it is once it is Ready, in the encoding of Kubernetes' own messages.

    What pods may have is the group's size; what the machine has is `capacity`, as on a real node.
    """
    name = f"template-{group.name}"
    own = {
        "kubernetes.io/arch": capacity.architecture,
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        **labels(group),
    }
    disk = {"ephemeral-storage": f"{capacity.storage_ki}Ki", "pods": str(_PODS)}
    machine = {"cpu": f"{capacity.cpu_m}m", "memory": f"{capacity.memory_ki}Ki", **disk}
    for_pods = {"cpu": f"{group.cpu_m}m", "memory": f"{group.memory_mi}Mi", **disk}
    node = wire.Node(
        metadata=wire.ObjectMeta(name=name, labels=own),
        spec=wire.NodeSpec(
            taints=[wire.Taint(key=t["key"], value=t["value"], effect=t["effect"]) for t in taints(group)]
        ),
        status=wire.NodeStatus(
            capacity=_quantities(machine),
            allocatable=_quantities(for_pods),
            conditions=[wire.NodeCondition(type="Ready", status="True")],
        ),
    )
    return node.SerializeToString()


def _quantities(of: dict[str, str]) -> dict[str, wire.Quantity]:
    return {name: wire.Quantity(string=text) for name, text in of.items()}
