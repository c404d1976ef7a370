from __future__ import annotations

from support.fake_nodes import LARGE, MACHINE, SMALL

from tidegate.models.node_group import NodeGroup
from tidegate.nodes.template import template
from tidegate.nodes.wire import kubenode_pb2 as wire


def _read(group: NodeGroup) -> wire.Node:
    return wire.Node.FromString(template(group, MACHINE))


def test_pods_have_the_groups_size_and_the_machine_its_own() -> None:
    status = _read(SMALL).status
    assert (status.allocatable["cpu"].string, status.allocatable["memory"].string) == ("500m", "512Mi")
    assert (status.capacity["cpu"].string, status.capacity["memory"].string) == ("2000m", "8388608Ki")
    assert status.allocatable["pods"].string == "110"


def test_it_is_ready_and_carries_what_selectors_and_taints_need() -> None:
    node = _read(LARGE)
    assert [(each.type, each.status) for each in node.status.conditions] == [("Ready", "True")]
    assert node.metadata.labels["tidegate.io/node-group"] == "large"
    assert node.metadata.labels["kubernetes.io/arch"] == "amd64"
    assert [(each.key, each.value, each.effect) for each in node.spec.taints] == [
        ("tidegate.io/node-group", "large", "NoSchedule")
    ]
    assert list(_read(SMALL).spec.taints) == []


def test_fields_have_the_numbers_of_kubernetes() -> None:
    """Read without our own description: a tag is the field number times 8, plus 2 for text and messages."""
    smallest = wire.Node(
        metadata=wire.ObjectMeta(name="n", labels={"a": "b"}),
        spec=wire.NodeSpec(providerID="p", taints=[wire.Taint(key="k", value="v", effect="e")]),
        status=wire.NodeStatus(
            capacity={"cpu": wire.Quantity(string="1")},
            allocatable={"cpu": wire.Quantity(string="2")},
            conditions=[wire.NodeCondition(type="t", status="s")],
        ),
    ).SerializeToString()
    metadata = b"\x0a\x01n" + b"\x5a\x06\x0a\x01a\x12\x01b"
    spec = b"\x1a\x01p" + b"\x2a\x09\x0a\x01k\x12\x01v\x1a\x01e"
    status = b"\x0a\x0a\x0a\x03cpu\x12\x03\x0a\x011" + b"\x12\x0a\x0a\x03cpu\x12\x03\x0a\x012"
    status += b"\x22\x06\x0a\x01t\x12\x01s"
    parts = zip((b"\x0a", b"\x12", b"\x1a"), (metadata, spec, status), strict=True)
    assert smallest == b"".join(tag + bytes([len(part)]) + part for tag, part in parts)
