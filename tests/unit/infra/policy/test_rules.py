"""Each rule passes a good object and finds the one change that breaks it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from infra.manifests import (
    Manifest,
    cluster_role,
    cluster_role_binding,
    container_security,
    http_probe,
    meta,
    name_label,
    namespace,
    pod_security,
    resources,
)
from infra.policy import RULES, check, enforce
from tidegate.errors import TidegateError

Change = Callable[[list[Manifest]], None]


def good() -> list[Manifest]:
    """Objects that keep every rule."""
    container: dict[str, Any] = {
        "name": "web",
        "image": "registry.example:5000/web:1.0",
        "resources": resources(100, 64, cpu_limit_m=200, memory_limit_mi=128),
        "securityContext": container_security(),
        "livenessProbe": http_probe("/healthz", 8000),
        "readinessProbe": http_probe("/readyz", 8000),
        "ports": [{"name": "http", "containerPort": 8000}],
    }
    pod: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "serviceAccountName": "web",
        "securityContext": pod_security(1000),
        "containers": [container],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
    }
    deployment: Manifest = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta("web", "shop"),
        "spec": {
            "selector": {"matchLabels": name_label("web")},
            "template": {"metadata": {"labels": name_label("web")}, "spec": pod},
        },
    }
    hpa: Manifest = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta("web", "shop"),
        "spec": {"scaleTargetRef": {"kind": "Deployment", "name": "web"}, "minReplicas": 2},
    }
    budget: Manifest = {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta("web", "shop"),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": name_label("web")}},
    }
    rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}]
    return [*namespace("shop"), deployment, hpa, budget, *cluster_role("reader", "reader", "shop", rules)]


def of_kind(objects: list[Manifest], kind: str) -> Manifest:
    return next(each for each in objects if each["kind"] == kind)


def pod_of(objects: list[Manifest]) -> dict[str, Any]:
    return of_kind(objects, "Deployment")["spec"]["template"]["spec"]


def container_of(objects: list[Manifest]) -> dict[str, Any]:
    return pod_of(objects)["containers"][0]


def in_pod(**values: Any) -> Change:
    return lambda objects: pod_of(objects).update(values)


def in_container(**values: Any) -> Change:
    return lambda objects: container_of(objects).update(values)


def in_security(**values: Any) -> Change:
    return lambda objects: container_of(objects)["securityContext"].update(values)


def in_pod_security(**values: Any) -> Change:
    return lambda objects: pod_of(objects)["securityContext"].update(values)


def without(kind: str) -> Change:
    return lambda objects: objects.remove(of_kind(objects, kind))


def in_role(**values: Any) -> Change:
    return lambda objects: of_kind(objects, "ClusterRole")["rules"][0].update(values)


def in_budget(spec: dict[str, Any]) -> Change:
    def change(objects: list[Manifest]) -> None:
        budget = of_kind(objects, "PodDisruptionBudget")
        budget["spec"] = {"selector": budget["spec"]["selector"], **spec}

    return change


BAD: list[tuple[str, str, Change]] = [
    ("pod-security", "hostNetwork", in_pod(hostNetwork=True)),
    ("pod-security", "hostPID", in_pod(hostPID=True)),
    ("pod-security", "hostIPC", in_pod(hostIPC=True)),
    ("pod-security", "hostPath", in_pod(volumes=[{"name": "root", "hostPath": {"path": "/"}}])),
    ("pod-security", "sysctl", in_pod_security(sysctls=[{"name": "kernel.msgmax", "value": "1"}])),
    ("pod-security", "runAsNonRoot", in_pod_security(runAsNonRoot=False)),
    ("pod-security", "runAsNonRoot", in_security(runAsNonRoot=False)),
    ("pod-security", "runAsUser", in_security(runAsUser=0)),
    ("pod-security", "seccomp", in_pod_security(seccompProfile={"type": "Unconfined"})),
    ("pod-security", "privileged", in_security(privileged=True)),
    ("pod-security", "allowPrivilegeEscalation", in_security(allowPrivilegeEscalation=True)),
    ("pod-security", "drop ALL", in_security(capabilities={"drop": ["NET_RAW"]})),
    ("pod-security", "NET_ADMIN", in_security(capabilities={"drop": ["ALL"], "add": ["NET_ADMIN"]})),
    ("pod-security", "procMount", in_security(procMount="Unmasked")),
    ("pod-security", "host port", in_container(ports=[{"containerPort": 80, "hostPort": 80}])),
    ("read-only-root", "writable", in_security(readOnlyRootFilesystem=False)),
    (
        "resources",
        "requests.cpu",
        in_container(resources={"limits": {"memory": "1Gi"}, "requests": {"memory": "1Gi"}}),
    ),
    (
        "resources",
        "requests.memory",
        in_container(resources={"limits": {"memory": "1Gi"}, "requests": {"cpu": "1"}}),
    ),
    ("resources", "limits.memory", in_container(resources={"requests": {"memory": "1Gi", "cpu": "1"}})),
    ("probes", "livenessProbe", in_container(livenessProbe=None)),
    ("probes", "readinessProbe", in_container(readinessProbe=None)),
    ("image-tag", "latest", in_container(image="registry.example:5000/web:latest")),
    ("image-tag", "registry.example:5000/web", in_container(image="registry.example:5000/web")),
    ("service-account-token", "account web", in_pod(automountServiceAccountToken=True)),
    ("service-account-token", "account web", in_pod(automountServiceAccountToken=None)),
    (
        "hpa-owns-replicas",
        "HorizontalPodAutoscaler shop/web",
        lambda objects: of_kind(objects, "Deployment")["spec"].update(replicas=2),
    ),
    ("disruption-budget", "no PodDisruptionBudget", without("PodDisruptionBudget")),
    ("disruption-budget", "maxUnavailable", in_budget({"minAvailable": 2})),
    ("disruption-budget", "maxUnavailable", in_budget({"maxUnavailable": 0})),
    ("default-deny", "denies by default", without("NetworkPolicy")),
    (
        "default-deny",
        "denies by default",
        lambda objects: of_kind(objects, "NetworkPolicy")["spec"].update(policyTypes=["Ingress"]),
    ),
    (
        "default-deny",
        "denies by default",
        lambda objects: of_kind(objects, "NetworkPolicy")["spec"].update(ingress=[{}]),
    ),
    ("rbac-wildcard", "verbs", in_role(verbs=["*"])),
    ("rbac-wildcard", "resources", in_role(resources=["pods/*"])),
    ("rbac-wildcard", "apiGroups", in_role(apiGroups=["*"])),
]


def test_good_objects_break_no_rule() -> None:
    assert check(good()) == []
    enforce(good())


@pytest.mark.parametrize(("rule", "word", "change"), BAD, ids=[f"{rule}-{word}" for rule, word, _ in BAD])
def test_one_change_breaks_one_rule(rule: str, word: str, change: Change) -> None:
    objects = good()
    change(objects)
    found = check(objects)
    assert {each.rule for each in found} == {rule}
    assert word in str(found[0])
    with pytest.raises(TidegateError, match=rule):
        enforce(objects)


def test_every_rule_has_an_example_that_breaks_it() -> None:
    assert {rule for rule, _, _ in BAD} == set(RULES)


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"])
def test_pods_are_found_in_every_kind_of_workload(kind: str) -> None:
    pod = pod_of(good())
    pod["containers"][0]["securityContext"]["privileged"] = True
    template = {"metadata": {}, "spec": pod}
    spec: dict[str, Any] = {
        "Pod": pod,
        "CronJob": {"jobTemplate": {"spec": {"template": template}}},
    }.get(kind, {"template": template})
    found = check([{"apiVersion": "v1", "kind": kind, "metadata": meta("x", "shop"), "spec": spec}])
    assert [each.rule for each in found] == ["pod-security"]


def test_containers_of_the_start_are_held_to_the_same() -> None:
    objects = good()
    start = copy.deepcopy(container_of(objects))
    start["name"] = "start"
    start["securityContext"]["privileged"] = True
    pod_of(objects)["initContainers"] = [start]
    assert [each.detail for each in check(objects)] == ["container start: privileged"]


def test_a_job_needs_no_probes() -> None:
    objects = good()
    job = copy.deepcopy(of_kind(objects, "Deployment"))
    job["kind"] = "Job"
    del job["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]
    del job["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
    assert check([*objects, job]) == []


def test_a_token_is_right_where_its_account_is_given_a_right() -> None:
    objects = good()
    pod_of(objects)["automountServiceAccountToken"] = True
    assert check([*objects, cluster_role_binding("web", "view", "web", "shop")]) == []
    elsewhere = cluster_role_binding("web", "view", "web", "other")
    assert [each.rule for each in check([*objects, elsewhere])] == ["service-account-token"]


def test_an_image_by_digest_needs_no_tag() -> None:
    objects = good()
    container_of(objects)["image"] = f"registry.example:5000/web@sha256:{'0' * 64}"
    assert check(objects) == []


def test_a_budget_in_another_namespace_covers_nothing() -> None:
    objects = good()
    of_kind(objects, "PodDisruptionBudget")["metadata"]["namespace"] = "other"
    assert [each.rule for each in check(objects)] == ["disruption-budget"]


def test_an_exemption_holds_for_one_rule_and_one_object() -> None:
    objects = good()
    in_security(privileged=True, readOnlyRootFilesystem=False)(objects)
    exempt = {"pod-security": frozenset({"Deployment shop/web"})}
    assert [each.rule for each in check(objects, exempt=exempt)] == ["read-only-root"]


def test_the_error_tells_how_many_more_there_are() -> None:
    objects = good()
    in_container(livenessProbe=None, readinessProbe=None)(objects)
    with pytest.raises(TidegateError, match=r"no livenessProbe.*and 1 more"):
        enforce(objects)
