"""Which way an experiment is done, and on which node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tidegate.chaos.blast import selected
from tidegate.chaos.cluster import Cluster
from tidegate.chaos.doing import Doing, MeshFault, ReplacedPod, StoppedNode
from tidegate.chaos.drain import DrainedNode
from tidegate.chaos.experiment import Experiment
from tidegate.run.objects import dig, text

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def node_for(cluster: Cluster, experiment: Experiment) -> str:
    """Return the node that an experiment is about; empty when it is about none, or none will do."""
    for fault in experiment.faults:
        if fault.action == "stop-node":
            return node_to_stop(cluster)
        if fault.action == "drain-node":
            return node_to_drain(cluster, fault.spec["namespace"], fault.spec["selector"])
    return ""


def node_to_stop(cluster: Cluster) -> str:
    """Return the worker that may be lost: it carries web pods and no database; empty when there is none."""
    carry_data = {text(pod, "spec", "nodeName") for pod in cluster.pods("data")}
    web = [text(pod, "spec", "nodeName") for pod in cluster.pods(selector="app.kubernetes.io/component=web")]
    found = [name for name in _workers(cluster) if name not in carry_data]
    return max(found, key=lambda name: (web.count(name), name), default="")


def node_to_drain(cluster: Cluster, namespace: str, selector: str) -> str:
    """Return the worker with most of the pods that a drain is to move; empty when none has any.

    One that carries a database will do: nobody else's pods are evicted.
    """
    pods = [text(pod, "spec", "nodeName") for pod in cluster.pods(namespace) if selected(pod, selector)]
    found = [name for name in _workers(cluster) if name in pods]
    return max(found, key=lambda name: (pods.count(name), name), default="")


def _workers(cluster: Cluster) -> list[str]:
    return [
        text(node, "metadata", "name")
        for node in cluster.nodes()
        if CONTROL_PLANE not in (dig(node, "metadata", "labels") or {})
        and not dig(node, "spec", "unschedulable")
    ]


def doing(
    experiment: Experiment,
    cluster: Cluster,
    node: str,
    environment: Mapping[str, str],
    kubectl: Sequence[str] = (),
) -> Doing:
    """Return how `experiment` is done.

    Args:
        experiment: what.
        cluster: the API.
        node: the one it is about, if any (`node_for`).
        environment: in which docker finds its engine.
        kubectl: words by which kubectl finds the cluster.
    """
    fault = experiment.faults[0]
    if fault.kind != "HostFault":
        return MeshFault(cluster, experiment, kubectl)
    namespace, selector = str(fault.spec["namespace"]), str(fault.spec["selector"])
    makers: dict[str, Callable[[], Doing]] = {
        "stop-node": lambda: StoppedNode(cluster, node, environment),
        "replace-pod": lambda: ReplacedPod(cluster, namespace, selector),
        "drain-node": lambda: DrainedNode(cluster, node, namespace, selector, kubectl),
    }
    return makers[fault.action]()
