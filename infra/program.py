"""The layers, in the order they need each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pulumi

from infra.autoscaling import Autoscaling, AutoscalingArgs
from infra.cluster import Cluster, ClusterArgs
from infra.data import Data, DataArgs
from infra.faults import Faults, FaultsArgs
from infra.images import Images
from infra.load import Load, LoadArgs
from infra.network import Network, NetworkArgs
from infra.observability import Observability, ObservabilityArgs
from infra.rollout import follow
from infra.service import Answers, Service, ServiceArgs
from infra.target import Target
from tidegate.host.paths import kubeconfig_path
from tidegate.models.stack import StackConfig


@dataclass(frozen=True)
class Platform:
    """What the program made, layer by layer."""

    cluster: Cluster
    network: Network
    observability: Observability
    data: Data
    service: Service
    autoscaling: Autoscaling | None
    """Only where the policy asks for more than the HPA that the cluster brings along."""
    faults: Faults | None
    """Only where the stack asks for faults."""
    load: Load | None
    """Only where the stack asks for load from inside the cluster."""


def build(
    stack: StackConfig,
    images: Images,
    *,
    owner: str,
    gateway_charts: Path,
    chart: Path,
    definitions: Mapping[str, Path],
    fault_definitions: Path | None = None,
) -> Platform:
    """Declare everything that the stack consists of.

    Args:
        stack: the stack's configuration.
        images: what runs, and on what.
        owner: the stack's name, as `project/stack`; the cluster is marked with it.
        gateway_charts: the folder `charts` of Envoy Gateway's Go module.
        chart: folder of the service's chart.
        definitions: where the custom resource definitions of the controllers lie that the policy needs, by
            their names in the catalogue.
        fault_definitions: folder of Chaos Mesh's custom resource definitions; None where there is none of it.
    """
    wanted = stack.cluster
    rolling = pulumi.ResourceOptions(transformations=[follow(images.node_agents() | images.on_workers())])
    cluster = Cluster(
        "cluster",
        ClusterArgs(
            name=wanted.name,
            owner=owner,
            node_image=images.node.reference,
            workers=wanted.workers,
            gateway_port=wanted.gateway_port,
            api_port=wanted.api_port,
            node_agents=images.node_agents(),
            images=images.on_workers(),
        ),
    )
    bare = Target(provider=cluster.provider, cluster=cluster.kind, ready=(cluster.node_agents,))
    network = Network(
        "network",
        NetworkArgs(
            target=bare,
            flannel_image=images.flannel.reference,
            firewall_image=images.kube_router.reference,
            controller_image=images.envoy_gateway.reference,
            envoy_image=images.envoy.reference,
            gateway_charts=gateway_charts,
            images_ready=cluster.images,
        ),
        rolling,
    )
    networked = replace(bare, ready=(cluster.images, *network.pod_network))
    observability = Observability(
        "observability",
        ObservabilityArgs(
            target=networked,
            metrics_server_image=images.metrics_server.reference,
            kube_state_metrics_image=images.kube_state_metrics.reference,
            prometheus_image=images.prometheus.reference,
            slo=stack.slo,
        ),
        rolling,
    )
    data = Data(
        "data",
        DataArgs(
            target=networked,
            postgres_image=images.postgres.reference,
            redis_image=images.redis.reference,
        ),
        rolling,
    )
    service = Service(
        "service",
        ServiceArgs(
            target=bare,
            chart=chart,
            image=images.service.reference,
            nginx_image=images.nginx.reference if images.nginx else None,
            policy=stack.policy,
            database_url=data.database_url,
            redis_url=data.redis_url,
        ),
        rolling,
    )
    autoscaling = None
    if stack.policy.needs_autoscaling:
        autoscaling = Autoscaling(
            "autoscaling",
            AutoscalingArgs(
                # Their rights and their way to Prometheus are in namespaces that are not theirs.
                target=replace(
                    networked, ready=(*networked.ready, *service.namespace, *observability.namespace)
                ),
                cluster=wanted.name,
                cluster_id=cluster.kind.cluster_id,
                policy=stack.policy,
                images=images,
                definitions=definitions,
            ),
            rolling,
        )
    kinds = autoscaling.before_service if autoscaling else []
    service.deploy(after=(*network.edge, *data.objects, *kinds))
    Answers(
        "answers",
        url=_gateway_url(stack),
        cluster_id=cluster.kind.cluster_id,
        image=images.service.reference,
        opts=pulumi.ResourceOptions(parent=service, depends_on=service.objects),
    )
    faults = None
    controller, daemon, names = images.chaos_controller_manager, images.chaos_daemon, images.chaos_coredns
    if controller and daemon and names and fault_definitions is not None:
        faults = Faults(
            "faults",
            FaultsArgs(
                # Its rights and the way of its checks are in the service's namespace.
                target=replace(networked, ready=(*networked.ready, *service.objects)),
                controller_image=controller.reference,
                daemon_image=daemon.reference,
                dns_image=names.reference,
                definitions=fault_definitions,
            ),
            rolling,
        )
    load = None
    if images.load is not None:
        load = Load("load", LoadArgs(target=networked, config=stack.load), rolling)
    return Platform(cluster, network, observability, data, service, autoscaling, faults, load)


def _gateway_url(stack: StackConfig) -> str:
    return f"http://127.0.0.1:{stack.cluster.gateway_port}"


def export(stack: StackConfig, images: Images) -> None:
    """Export what a person or the command line needs to use the stack."""
    pulumi.export("gateway_url", _gateway_url(stack))
    pulumi.export("cluster", stack.cluster.name)
    pulumi.export("context", f"kind-{stack.cluster.name}")
    pulumi.export("kubeconfig_path", str(kubeconfig_path(stack.cluster.name)))
    pulumi.export("service_image", images.service.reference)
