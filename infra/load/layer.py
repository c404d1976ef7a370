"""What is there between loads: a namespace, what its pods may reach, and how much they may take.

The pods themselves come and go with each load (`tidegate.load.pods`): they are Jobs that end by themselves,
and no state of Pulumi's. They need no right in the cluster, so there is no role and no account here.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from infra import policy, traffic
from infra.manifests import GATEWAY_NAMESPACE, Manifest, meta, namespace
from infra.network.edge import ENVOY_PORT, PROXY_LABELS
from infra.objects import KubernetesObject, register, within
from infra.target import Target
from tidegate.load.pods.jobs import MASTER_RESOURCES
from tidegate.load.pods.names import (
    AGENT_PORT,
    COMPONENT_LABEL,
    GENERATOR_LABELS,
    MASTER,
    MASTER_PORT,
    NAMESPACE,
    WORKER,
)
from tidegate.models.load import LoadConfig

MASTER_LABELS = {**GENERATOR_LABELS, COMPONENT_LABEL: MASTER}
WORKER_LABELS = {**GENERATOR_LABELS, COMPONENT_LABEL: WORKER}


@dataclass(frozen=True)
class LoadArgs:
    """What the load layer needs to know.

    Args:
        target: the cluster, with its network and images ready.
        config: how many generators there may be, and of what size.
    """

    target: Target
    config: LoadConfig


def manifests(config: LoadConfig) -> list[Manifest]:
    """Return the objects of the layer."""
    return [*namespace(NAMESPACE), quota(config), *_traffic()]


def quota(config: LoadConfig) -> Manifest:
    """Return the bound on all loads together: one master, and the workers that the stack allows."""
    workers = config.max_workers
    requests, limits = MASTER_RESOURCES["requests"], MASTER_RESOURCES["limits"]
    cpu_request_m = _number(requests["cpu"], "m") + workers * config.worker_cpu_request_m
    cpu_limit_m = _number(limits["cpu"], "m") + workers * config.worker_cpu_limit_m
    hard = {
        "pods": str(1 + workers),
        "requests.cpu": f"{cpu_request_m}m",
        "limits.cpu": f"{cpu_limit_m}m",
        "requests.memory": f"{_number(requests['memory'], 'Mi') + workers * config.worker_memory_mi}Mi",
        "limits.memory": f"{_number(limits['memory'], 'Mi') + workers * config.worker_memory_mi}Mi",
        "persistentvolumeclaims": "0",
        "services": "0",
    }
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": meta("generators", NAMESPACE),
        "spec": {"hard": hard},
    }


def _number(quantity: str, unit: str) -> int:
    return int(quantity.removesuffix(unit))


def _traffic() -> list[Manifest]:
    """Return who may talk to whom.

    Not even names are resolved: the gateway and the master are told as addresses, so that a fault of the
    cluster's DNS is not taken for one of the service. The record goes out by the API server, which has a
    node's address and no labels.
    """
    record = traffic.ingress([AGENT_PORT], traffic.outside_pods())
    return [
        traffic.policy(
            MASTER,
            NAMESPACE,
            MASTER_LABELS,
            ingress_rules=[record, traffic.ingress([MASTER_PORT], traffic.pods(NAMESPACE, WORKER_LABELS))],
        ),
        traffic.policy(
            WORKER,
            NAMESPACE,
            WORKER_LABELS,
            ingress_rules=[record],
            egress_rules=[
                # A policy sees the proxy that the Service's address was turned into, and its own port.
                traffic.egress([ENVOY_PORT], traffic.pods(GATEWAY_NAMESPACE, PROXY_LABELS)),
                traffic.egress([MASTER_PORT], traffic.pods(NAMESPACE, MASTER_LABELS)),
            ],
        ),
    ]


class Load(pulumi.ComponentResource):
    """The namespace of load generators."""

    def __init__(self, name: str, args: LoadArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tidegate:infra:Load", name, None, opts)
        wanted = manifests(args.config)
        policy.enforce(wanted)
        self.objects: list[KubernetesObject] = register(wanted, within(self, args.target))
        self.register_outputs({})
