from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from typing import Any

import pytest
import yaml

from infra.cluster.config import CNI_TEMPLATE_IN_NODE, KindSpec, adapt, cni_template, intent
from infra.cluster.host import HostTraits

SPEC = KindSpec(
    name="demo", node_image="kindest/node:v1", workers=2, gateway_port=8080, cni_template_path="/x/cni.json"
)


def parsed(text: str) -> dict[str, Any]:
    return yaml.safe_load(text)


def test_one_control_plane_and_the_workers() -> None:
    nodes = parsed(intent(SPEC))["nodes"]
    assert [node["role"] for node in nodes] == ["control-plane", "worker", "worker"]
    assert {node["image"] for node in nodes} == {"kindest/node:v1"}


def test_the_gateway_is_published_on_this_machine_only() -> None:
    control, *workers = parsed(intent(SPEC))["nodes"]
    assert control["extraPortMappings"] == [
        {"containerPort": 30080, "hostPort": 8080, "listenAddress": "127.0.0.1", "protocol": "TCP"}
    ]
    assert all("extraPortMappings" not in worker for worker in workers)


def test_the_api_listens_on_this_machine_only_and_on_a_free_port_unless_told() -> None:
    networking = parsed(intent(SPEC))["networking"]
    assert networking["apiServerAddress"] == "127.0.0.1"
    assert "apiServerPort" not in networking
    fixed = replace(SPEC, api_port=6550)
    assert parsed(intent(fixed))["networking"]["apiServerPort"] == 6550


def test_every_node_mounts_the_pod_network_template() -> None:
    config = parsed(intent(SPEC))
    assert config["networking"]["disableDefaultCNI"] is True
    for node in config["nodes"]:
        assert node["extraMounts"] == [
            {"hostPath": "/x/cni.json", "containerPath": CNI_TEMPLATE_IN_NODE, "readOnly": True}
        ]


@pytest.mark.parametrize(
    ("version", "table"),
    [(2, "io.containerd.grpc.v1.cri"), (3, "io.containerd.cri.v1.runtime")],
)
def test_containerd_reads_the_template_whichever_configuration_version_it_has(
    version: int, table: str
) -> None:
    patches = [tomllib.loads(patch) for patch in parsed(intent(SPEC))["containerdConfigPatches"]]
    matching = [patch for patch in patches if patch["version"] == version]
    assert [patch["plugins"][table]["cni"] for patch in matching] == [{"conf_template": CNI_TEMPLATE_IN_NODE}]


def test_the_template_uses_only_plugins_of_the_official_node_image() -> None:
    template = json.loads(cni_template())
    assert [plugin["type"] for plugin in template["plugins"]] == ["ptp", "portmap"]
    ipam = template["plugins"][0]["ipam"]
    assert ipam["type"] == "host-local"
    assert ipam["ranges"] == [[{"subnet": "{{.PodCIDR}}"}]]


def test_an_ordinary_machine_needs_no_change() -> None:
    text = intent(SPEC)
    assert adapt(text, HostTraits()) == text


def kubelet(text: str) -> dict[str, Any]:
    (patch,) = parsed(text)["kubeadmConfigPatches"]
    return parsed(patch)


def test_cgroup_v1_is_allowed_only_where_it_is() -> None:
    patch = kubelet(adapt(intent(SPEC), HostTraits(cgroup_v1=True)))
    assert patch["kind"] == "KubeletConfiguration"
    assert patch["failCgroupV1"] is False
    assert "featureGates" not in patch


def test_without_the_capability_kubelet_and_containerd_set_no_limits() -> None:
    text = adapt(intent(SPEC), HostTraits(can_raise_limits=False))
    assert kubelet(text)["featureGates"] == {"KubeletInUserNamespace": True}
    assert "failCgroupV1" not in kubelet(text)
    patches = [tomllib.loads(patch) for patch in parsed(text)["containerdConfigPatches"]]
    told = [
        table["restrict_oom_score_adj"]
        for patch in patches
        for table in patch["plugins"].values()
        if "restrict_oom_score_adj" in table
    ]
    assert told == [True, True]


def test_intent_does_not_depend_on_the_machine() -> None:
    text = adapt(intent(SPEC), HostTraits(cgroup_v1=True, can_raise_limits=False))
    assert parsed(text)["nodes"] == parsed(intent(SPEC))["nodes"]
    assert "kubeadmConfigPatches" not in parsed(intent(SPEC))
