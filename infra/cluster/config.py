"""The text of a kind configuration.

`intent` says what the cluster shall be and is the same on every machine; a change of it replaces the
cluster. `adapt` adds what one machine needs to run it at all, at the moment of creation, so that the same
stack can be moved between machines without looking changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, cast

import yaml

from infra.cluster.host import HostTraits

GATEWAY_NODE_PORT = 30080
"""NodePort of the gateway's Envoy on every node; the control plane's is published on 127.0.0.1."""

POD_CIDR = "10.244.0.0/16"
"""kind's own default pod range; flannel's net-conf.json must name the same."""

CNI_TEMPLATE_IN_NODE = "/etc/containerd/tidegate-cni.template.json"

_CRI_TABLE_BY_CONFIG_VERSION = {
    2: ('plugins."io.containerd.grpc.v1.cri".cni', 'plugins."io.containerd.grpc.v1.cri"'),
    3: ('plugins."io.containerd.cri.v1.runtime".cni', 'plugins."io.containerd.cri.v1.runtime"'),
}
"""containerd 1.x images carry configuration version 2, newer ones may carry 3, with other table names.

kind skips a patch whose `version` is not the node's (pkg/internal/patch/toml.go), so both can be given.
"""


@dataclass(frozen=True)
class KindSpec:
    """What one cluster shall be.

    Args:
        name: the cluster's name; containers are called `<name>-control-plane`, `<name>-worker`, ...
        node_image: image reference every node runs.
        workers: nodes beside the one control plane.
        gateway_port: port on 127.0.0.1 that reaches `GATEWAY_NODE_PORT`.
        cni_template_path: where on this machine the file with `cni_template()` lies.
        api_port: port on 127.0.0.1 of the Kubernetes API; None lets kind choose a free one.
    """

    name: str
    node_image: str
    workers: int
    gateway_port: int
    cni_template_path: str
    api_port: int | None = None


def cni_template() -> str:
    """Return the template from which containerd writes each node's pod network configuration.

    `ptp` gives every pod a link of its own to the node instead of a port on a shared bridge: traffic
    between two pods of one node then passes the node's FORWARD chain, where NetworkPolicy is enforced,
    without the br_netfilter module. Masquerading is flannel's, which knows the whole pod range.
    Only plugins that the official kindest/node image ships are used.
    """
    return json.dumps(
        {
            "cniVersion": "0.4.0",
            "name": "tidegate",
            "plugins": [
                {
                    "type": "ptp",
                    "ipMasq": False,
                    "ipam": {
                        "type": "host-local",
                        "dataDir": "/run/cni-ipam-state",
                        "ranges": [[{"subnet": "{{.PodCIDR}}"}]],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                },
                {"type": "portmap", "capabilities": {"portMappings": True}},
            ],
        },
        indent=1,
    )


def intent(spec: KindSpec) -> str:
    """Return the kind configuration of `spec` as YAML, without anything about the machine it runs on."""
    mount = {"hostPath": spec.cni_template_path, "containerPath": CNI_TEMPLATE_IN_NODE, "readOnly": True}
    node: dict[str, Any] = {"image": spec.node_image, "extraMounts": [mount]}
    networking: dict[str, Any] = {
        "apiServerAddress": "127.0.0.1",
        "disableDefaultCNI": True,
        "podSubnet": POD_CIDR,
    }
    if spec.api_port is not None:
        networking["apiServerPort"] = spec.api_port
    published = {
        "containerPort": GATEWAY_NODE_PORT,
        "hostPort": spec.gateway_port,
        "listenAddress": "127.0.0.1",
        "protocol": "TCP",
    }
    return _dump(
        {
            "kind": "Cluster",
            "apiVersion": "kind.x-k8s.io/v1alpha4",
            "name": spec.name,
            "networking": networking,
            "nodes": [
                {"role": "control-plane", **node, "extraPortMappings": [published]},
                *({"role": "worker", **node} for _ in range(spec.workers)),
            ],
            "containerdConfigPatches": [
                f'version = {version}\n[{cni}]\n  conf_template = "{CNI_TEMPLATE_IN_NODE}"\n'
                for version, (cni, _) in _CRI_TABLE_BY_CONFIG_VERSION.items()
            ],
        }
    )


def adapt(config: str, traits: HostTraits) -> str:
    """Return `config` with what a machine with `traits` needs; an ordinary one needs nothing."""
    document = cast("dict[str, Any]", yaml.safe_load(config))
    kubelet: dict[str, Any] = {}
    if traits.cgroup_v1:
        # The kubelet refuses cgroup v1 since 1.35 unless told otherwise.
        kubelet["failCgroupV1"] = False
    if not traits.can_raise_limits:
        # Makes the kubelet tolerate sysctls and rlimits that it may not set.
        kubelet["featureGates"] = {"KubeletInUserNamespace": True}
        document["containerdConfigPatches"] += [
            f"version = {version}\n[{cri}]\n  restrict_oom_score_adj = true\n"
            for version, (_, cri) in _CRI_TABLE_BY_CONFIG_VERSION.items()
        ]
    if not kubelet:
        return config
    head = {"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1"}
    document["kubeadmConfigPatches"] = [_dump({**head, **kubelet})]
    return _dump(document)


class _PlainDumper(yaml.SafeDumper):
    """Repeats a value used twice instead of writing an anchor, which a reader would have to follow."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the signature is PyYAML's
        return True


def _dump(document: dict[str, Any]) -> str:
    return yaml.dump(document, Dumper=_PlainDumper, sort_keys=False)
