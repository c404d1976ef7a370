from __future__ import annotations

from typing import Any

import pytest

from infra.autoscaling.vpa import NAMES, acting, recommender
from infra.manifests import Manifest
from infra.policy import check
from infra.policy.shape import of_kind

PARTS = ("vpa-recommender", "vpa-updater", "vpa-admission-controller")


def objects() -> list[Manifest]:
    return [*recommender("example/recommender:1"), *acting("example/u:1", "example/a:1", "ca", "crt", "key")]


def container(name: str) -> dict[str, Any]:
    (made,) = [each for each in of_kind(objects(), "Deployment") if each["metadata"]["name"] == name]
    return made["spec"]["template"]["spec"]["containers"][0]


def given(account: str, namespace: str) -> dict[str, set[str]]:
    """Resource to what the account may do with it in the namespace."""
    (role,) = [
        each
        for each in of_kind(objects(), "Role")
        if (each["metadata"]["name"], each["metadata"]["namespace"]) == (account, namespace)
    ]
    found: dict[str, set[str]] = {}
    for rule in role["rules"]:
        for resource in rule["resources"]:
            found.setdefault(resource, set()).update(rule["verbs"])
    return found


def test_every_rule_holds() -> None:
    assert check(objects()) == []
    assert check(recommender("example/recommender:1")) == []


def test_nothing_of_it_has_a_right_in_the_whole_cluster() -> None:
    assert not list(of_kind(objects(), "ClusterRole", "ClusterRoleBinding"))


@pytest.mark.parametrize("part", PARTS)
def test_each_part_looks_at_the_services_namespace_only(part: str) -> None:
    assert "--vpa-object-namespace=tidegate" in container(part)["args"]


def test_the_recommender_changes_no_pod() -> None:
    rights = given("vpa-recommender", "tidegate")
    assert rights["pods"] == {"get", "list", "watch"}
    assert not {"pods/eviction", "pods/resize"} & set(rights)
    writes = {name for name, verbs in rights.items() if verbs & {"create", "patch", "update", "delete"}}
    assert writes == {"verticalpodautoscalers/status", "verticalpodautoscalercheckpoints"}


def test_a_recommendation_may_be_as_small_as_the_policy_allows() -> None:
    assert "--pod-recommendation-min-memory-mb=16" in container("vpa-recommender")["args"]


def test_pods_start_also_when_the_webhook_does_not_answer() -> None:
    (configuration,) = of_kind(objects(), "MutatingWebhookConfiguration")
    (webhook,) = configuration["webhooks"]
    assert webhook["failurePolicy"] == "Ignore"
    assert webhook["timeoutSeconds"] <= 3
    assert webhook["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "tidegate"}
    assert [rule["resources"] for rule in webhook["rules"]] == [["pods"]]
    service = webhook["clientConfig"]["service"]
    assert f"{service['name']}.{service['namespace']}.svc" in NAMES


def test_the_program_and_not_the_controller_registers_the_webhook() -> None:
    assert "--register-webhook=false" in container("vpa-admission-controller")["args"]
    assert set(given("vpa-admission-controller", "vpa")) == {"leases"}


def test_updater_and_admission_controller_mean_the_same_lease() -> None:
    for part in ("vpa-updater", "vpa-admission-controller"):
        assert {"name": "NAMESPACE", "value": "vpa"} in container(part)["env"]
    assert given("vpa-updater", "vpa") == {"leases": {"get"}}
