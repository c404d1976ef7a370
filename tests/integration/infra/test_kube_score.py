"""Every object against every check of kube-score; what is not heeded is written down here, with a reason."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from support.kube_checks import Finding, checks_of, kube_score, tool
from support.rendered import CHART_ONLY, GENERATORS, stacks

from infra.manifests import Manifest
from infra.policy.shape import containers, items, pod_spec, section, subject, workloads

pytestmark = pytest.mark.integration

Spoil = Callable[[dict[str, Any]], None]

OPTIONAL = ("container-ports-check", "container-seccomp-profile")

NOT_ASKED: Mapping[str, str] = {
    "container-resource-requests-equal-limits": "both of the next",
    "container-cpu-requests-equal-limits": "a pod that starts needs many times the CPU that it serves "
    "with: reserved, it would stand idle on every node",
    "container-memory-requests-equal-limits": "the request is what is used, the limit what a leak may take",
    "container-ephemeral-storage-request-equals-limit": "there is neither, see the waiver",
}
"""Checks that are off unless asked for, and why they are not."""


@dataclass(frozen=True)
class Waiver:
    """One check that is not heeded for some objects."""

    check: str
    reason: str
    subjects: tuple[str, ...] = ("*",)
    """Objects as kind, namespace and name; `*` stands for anything."""
    comment: str = "*"
    """What kube-score says; for a check that says several things."""

    def holds(self, found: Finding) -> bool:
        """Whether it is about this finding."""
        return (
            found.check == self.check
            and fnmatchcase(found.comment, self.comment)
            and any(fnmatchcase(found.subject, each) for each in self.subjects)
        )


READ_ONLY_ROOT = "container-security-context-readonlyrootfilesystem"
FLANNEL, KUBE_ROUTER = "DaemonSet kube-system/flannel", "DaemonSet kube-system/kube-router"
CHAOS_DAEMON = "DaemonSet chaos-mesh/chaos-daemon"

WAIVERS = (
    Waiver(
        "container-image-pull-policy",
        "images are put on the nodes, many are built on this machine, and in a closed network no registry "
        "answers; every tag names one version",
    ),
    Waiver(
        "container-ephemeral-storage-request-and-limit",
        "what a pod can write is bounded elsewhere: roots are read-only but for the three agents of nodes, "
        "emptyDirs have a size, and the kubelet rotates logs",
    ),
    Waiver(
        "container-resources",
        "a CPU limit is the policy's choice: it bounds a neighbour's harm and costs throttling. The chart by "
        "itself sets none, and NGINX shares the core of the one it stands before",
        ("Deployment tidegate/tidegate-web", "Deployment tidegate/tidegate-worker"),
        "* CPU limit is not set",
    ),
    Waiver(
        "container-security-context-user-group-id",
        "root: flannel and kube-router write the node's routes and firewall, the injector enters containers",
        (FLANNEL, KUBE_ROUTER, CHAOS_DAEMON),
    ),
    Waiver(
        "container-security-context-user-group-id",
        "999 is the user of the official images, to whom the files of existing volumes belong",
        ("StatefulSet data/postgres", "StatefulSet data/redis"),
    ),
    Waiver(
        "container-security-context-user-group-id",
        "1000 is what upstream's own manifests run it as",
        ("Deployment kube-system/metrics-server",),
    ),
    Waiver(
        READ_ONLY_ROOT,
        "the official images set links to iptables' back end at their first start; the injector keeps locks "
        "and pipes in places of its own",
        (FLANNEL, KUBE_ROUTER, CHAOS_DAEMON),
    ),
    Waiver(
        "container-security-context-privileged",
        "enters other containers' namespaces and cgroups; only where a stack asks for faults",
        (CHAOS_DAEMON,),
    ),
    Waiver("container-seccomp-profile", "a privileged container has none", (CHAOS_DAEMON,)),
    Waiver(
        "pod-networkpolicy",
        "they are in the node's own network, where no NetworkPolicy holds",
        (FLANNEL, KUBE_ROUTER),
    ),
    Waiver(
        "pod-networkpolicy",
        "kube-system is Kubernetes' own and denies nothing by default",
        ("Deployment kube-system/metrics-server",),
    ),
    Waiver(
        "networkpolicy-targets-pod",
        "for pods that something else makes: Envoy's, those of an experiment's workflow and of a load",
        (
            "NetworkPolicy envoy-gateway-system/envoy",
            "NetworkPolicy tidegate/chaos-tasks",
            "NetworkPolicy load/*",
        ),
    ),
    Waiver(
        "pod-probes-identical",
        "upstream has one answer for both questions; nobody waits for these but the API server for the "
        "webhook, and it goes on without",
        (
            "DaemonSet kube-system/*",
            CHAOS_DAEMON,
            "Deployment cluster-autoscaler/cluster-autoscaler",
            "Deployment vpa/vpa-*",
        ),
    ),
    Waiver(
        "pod-probes-identical",
        "takes no requests: being ready only paces a rollout, and liveness is asked with more patience",
        ("Deployment tidegate/tidegate-worker",),
    ),
    Waiver(
        "deployment-replicas",
        "one pod of each is enough for one machine, and what waits for them bears their absence: metrics, "
        "alerts, recommendations, new routes",
        (
            "Deployment envoy-gateway-system/envoy-gateway",
            "Deployment keda/keda-metrics-apiserver",
            "Deployment keda/keda-operator",
            "Deployment kube-system/metrics-server",
            "Deployment observability/kube-state-metrics",
            "Deployment observability/prometheus",
            "Deployment vpa/vpa-admission-controller",
        ),
    ),
    Waiver(
        "deployment-replicas",
        "nobody asks it but pods that an experiment has chosen; without it their names resolve again",
        ("Deployment chaos-mesh/chaos-dns-server",),
    ),
    Waiver(
        "deployment-replicas",
        "a ScaledObject owns them, which kube-score does not know as an autoscaler",
        ("Deployment tidegate/tidegate-web",),
    ),
    Waiver(
        "deployment-strategy",
        "there is no election: two operators at once would both write the workers' replicas",
        ("Deployment keda/keda-operator",),
    ),
    Waiver(
        "deployment-has-host-podantiaffinity",
        "spread by topologySpreadConstraints, which weigh how many there are on each node",
        ("Deployment tidegate/tidegate-web",),
    ),
    Waiver(
        "deployment-has-host-podantiaffinity",
        "the scheduler spreads a ReplicaSet's pods over nodes by its own default constraints",
        ("Deployment tidegate/tidegate-worker", "Deployment tidegate/tidegate-headroom"),
    ),
    Waiver(
        "deployment-has-poddisruptionbudget",
        "it holds room and gives way to everything, all of it at once if need be",
        ("Deployment tidegate/tidegate-headroom",),
    ),
    Waiver(
        "statefulset-has-servicename",
        "one pod, which nobody calls by a name of its own; and the name of a StatefulSet's Service cannot be "
        "changed without making it anew",
        ("StatefulSet data/postgres", "StatefulSet data/redis"),
    ),
)
"""All that is not heeded. What a waiver says of the objects themselves is tested below."""


def scored(objects: Sequence[Manifest]) -> list[Manifest]:
    """Return what kube-score has checks for: definitions are a megabyte of YAML that it reads for nothing."""
    return [each for each in objects if each["kind"] != "CustomResourceDefinition"]


@pytest.fixture(scope="session")
def program() -> Path:
    return tool("kube-score")


@pytest.fixture(scope="module")
def findings(rendered: Mapping[str, Sequence[Manifest]], program: Path) -> dict[str, list[Finding]]:
    """What kube-score says of each stack, of the chart by itself, and of what generates load."""
    names = [*stacks(), CHART_ONLY, GENERATORS]
    return {name: kube_score(program, scored(rendered[name]), OPTIONAL) for name in names}


@pytest.mark.parametrize("name", [*stacks(), CHART_ONLY, GENERATORS])
def test_every_finding_is_mended_or_has_a_reason(
    findings: Mapping[str, Sequence[Finding]], name: str
) -> None:
    open_ = [str(each) for each in findings[name] if not any(waiver.holds(each) for waiver in WAIVERS)]
    assert open_ == []


def test_no_waiver_outlives_what_it_is_for(findings: Mapping[str, Sequence[Finding]]) -> None:
    found = [each for several in findings.values() for each in several]
    for waiver in WAIVERS:
        for one in waiver.subjects:
            alone = replace(waiver, subjects=(one,))
            assert any(alone.holds(each) for each in found), f"{waiver.check}: {one}"


def test_every_check_is_asked_or_has_a_reason_not_to_be(program: Path) -> None:
    optional = {name for name, must_be_asked in checks_of(program).items() if must_be_asked}
    assert optional == {*OPTIONAL, *NOT_ASKED}


def without(path: Sequence[str]) -> Spoil:
    def spoil(pod: dict[str, Any]) -> None:
        del section(pod["containers"][0], *path[:-1])[path[-1]]

    return spoil


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        (without(["resources", "limits"]), "container-resources"),
        (without(["resources", "requests", "memory"]), "container-resources"),
        (without(["readinessProbe"]), "pod-probes"),
        (without(["securityContext", "readOnlyRootFilesystem"]), READ_ONLY_ROOT),
        (without(["image"]), "container-image-tag"),
    ],
    ids=["limits", "request", "readiness", "root", "tag"],
)
def test_what_is_missing_is_noticed_and_no_waiver_holds_for_it(
    rendered: Mapping[str, Sequence[Manifest]], program: Path, spoil: Spoil, check: str
) -> None:
    objects = scored(copy.deepcopy(rendered["defaults"]))
    (web,) = [each for each in objects if subject(each) == "Deployment tidegate/tidegate-web"]
    spoil(pod_spec(web))
    found = kube_score(program, objects, OPTIONAL)
    open_ = {each.check for each in found if not any(waiver.holds(each) for waiver in WAIVERS)}
    assert open_ == {check}


@pytest.mark.parametrize("name", [*stacks(), CHART_ONLY, GENERATORS])
def test_images_are_those_on_the_node_by_an_exact_name(
    rendered: Mapping[str, Sequence[Manifest]], name: str
) -> None:
    for each, pod in workloads(rendered[name]):
        for container in containers(pod):
            assert container["imagePullPolicy"] == "IfNotPresent", subject(each)
            assert ":" in container["image"].rpartition("/")[2], subject(each)


@pytest.mark.parametrize("name", [*stacks(), CHART_ONLY, GENERATORS])
def test_what_a_pod_may_write_has_a_bound(rendered: Mapping[str, Sequence[Manifest]], name: str) -> None:
    unbound = {
        (subject(each), volume["name"])
        for each, pod in workloads(rendered[name])
        for volume in items(pod, "volumes")
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]
    }
    # Its chart sets none, and nothing of ours loads a Wasm extension into it.
    assert unbound <= {("Deployment envoy-gateway-system/envoy-gateway", "wasm-cache")}


@pytest.mark.parametrize("name", [*stacks()])
def test_what_scales_the_web_pods_keeps_two(rendered: Mapping[str, Sequence[Manifest]], name: str) -> None:
    kinds = {"HorizontalPodAutoscaler": "minReplicas", "ScaledObject": "minReplicaCount"}
    found = [each for each in rendered[name] if subject(each).endswith(" tidegate/tidegate-web")]
    (least,) = [each["spec"][kinds[each["kind"]]] for each in found if each["kind"] in kinds]
    assert least >= 2
