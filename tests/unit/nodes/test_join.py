from __future__ import annotations

import json
from typing import Any

import pytest
from support.fake_nodes import LARGE, MACHINE, SMALL

from tidegate.errors import TidegateError
from tidegate.models.node_group import NodeGroup
from tidegate.nodes.join import (
    Invitation,
    Moments,
    TooSmall,
    invitation,
    join_configuration,
    kubelet_patch,
    node_name,
    provider_id,
)

COMMAND = (
    "kubeadm join demo-control-plane:6443 --token abcdef.0123456789abcdef "
    "--discovery-token-ca-cert-hash sha256:12ab \n"
)
INVITED = Invitation("demo-control-plane:6443", "abcdef.0123456789abcdef", "sha256:12ab")


def _joined(group: NodeGroup) -> dict[str, Any]:
    return json.loads(
        join_configuration("demo", "demo-x-1", group, "172.18.0.9", INVITED, Moments(1.7e9, 1.7e9 + 2.25))
    )


def test_the_control_planes_invitation_is_read() -> None:
    assert invitation(COMMAND) == INVITED


@pytest.mark.parametrize("text", ["", "kubeadm join", "kubeadm join a:1 --token", "error"])
def test_what_is_no_invitation(text: str) -> None:
    with pytest.raises(TidegateError, match="no join command"):
        invitation(text)


def test_the_cluster_is_known_by_its_certificate() -> None:
    token = _joined(SMALL)["discovery"]["bootstrapToken"]
    assert token["caCertHashes"] == ["sha256:12ab"]
    assert "unsafeSkipCAVerification" not in token


def test_a_node_tells_its_group_and_its_instance() -> None:
    said = {each["name"]: each["value"] for each in _joined(SMALL)["nodeRegistration"]["kubeletExtraArgs"]}
    assert said == {
        "node-ip": "172.18.0.9",
        "provider-id": "kind://docker/demo/demo-x-1",
        "node-labels": "tidegate.io/node-group=small,tidegate.io/begun-s=1700000000.000,"
        "tidegate.io/joining-s=1700000002.250",
    }


def test_only_a_dedicated_group_is_tainted() -> None:
    assert _joined(SMALL)["nodeRegistration"]["taints"] == []
    assert _joined(LARGE)["nodeRegistration"]["taints"] == [
        {"key": "tidegate.io/node-group", "value": "large", "effect": "NoSchedule"}
    ]


def test_all_but_the_groups_size_is_reserved() -> None:
    reserved = json.loads(kubelet_patch(SMALL, MACHINE))["systemReserved"]
    assert reserved == {"cpu": "1500m", "memory": f"{(8192 - 512) * 1024}Ki"}


@pytest.mark.parametrize("change", [{"cpu_m": 2001}, {"memory_mi": 8193}])
def test_a_node_larger_than_the_machine_is_refused(change: dict[str, int]) -> None:
    with pytest.raises(TooSmall, match="this machine 2000m and 8192Mi"):
        kubelet_patch(SMALL.model_copy(update=change), MACHINE)


@pytest.mark.parametrize(
    ("provider", "node"),
    [
        (provider_id("demo", "demo-small-1"), "demo-small-1"),
        ("kind://docker/other/demo-small-1", None),
        ("kind://docker/demo/", None),
        ("", None),
    ],
)
def test_a_node_is_known_by_its_provider_id(provider: str, node: str | None) -> None:
    assert node_name(provider, "demo") == node
