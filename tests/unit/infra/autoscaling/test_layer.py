from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pulumi
import pytest

from infra.autoscaling import server
from infra.autoscaling.cluster_autoscaler import FLAGS, cluster_autoscaler
from infra.autoscaling.layer import Autoscaling, AutoscalingArgs
from infra.autoscaling.resources import NodeServerProvider
from infra.images import Image, Images
from infra.manifests import Manifest
from infra.policy import check
from infra.policy.shape import of_kind
from infra.target import Target
from tidegate.errors import TidegateError
from tidegate.models.policy import Policy
from tidegate.nodes import process
from tidegate.nodes.settings import load_settings

if TYPE_CHECKING:
    from tests.unit.infra.conftest import Deploy

Layer = Callable[[Policy], Callable[[], object]]

GROWING = Policy.model_validate({"node_groups": [{"name": "small", "max_nodes": 2}]})
CLIENT = ("172.18.0.1:4", "ca", "crt", "secret key")


def objects() -> list[Manifest]:
    return cluster_autoscaler("example/cluster-autoscaler:1", *CLIENT)


def verbs(kind: str) -> dict[str, set[str]]:
    """Resource to what may be done with it."""
    given: dict[str, set[str]] = {}
    for each in of_kind(objects(), kind):
        for rule in each["rules"]:
            for resource in rule["resources"]:
                given.setdefault(resource, set()).update(rule["verbs"])
    return given


def test_every_rule_holds() -> None:
    assert check(objects()) == []


def test_it_cannot_delete_nodes_or_pods_or_read_secrets() -> None:
    cluster = verbs("ClusterRole")
    assert cluster["nodes"] == {"get", "list", "watch", "update"}
    assert cluster["pods"] == {"get", "list", "watch"}
    assert cluster["pods/eviction"] == {"create"}
    assert "secrets" not in {**cluster, **verbs("Role")}


def test_pods_with_temporary_files_do_not_keep_a_node_for_ever() -> None:
    assert "--skip-nodes-with-local-storage=false" in FLAGS


def test_it_talks_to_what_is_no_pod_and_nobody_talks_to_it() -> None:
    (own,) = [each for each in of_kind(objects(), "NetworkPolicy") if "egress" in each["spec"]]
    assert "ingress" not in own["spec"]
    peers = [peer for rule in own["spec"]["egress"] for peer in rule["to"]]
    assert all("except" in peer["ipBlock"] for peer in peers)


def test_it_does_not_run_on_a_node_that_it_may_remove() -> None:
    (made,) = of_kind(objects(), "Deployment")
    affinity = made["spec"]["template"]["spec"]["affinity"]["nodeAffinity"]
    (term,) = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "tidegate.io/node-group", "operator": "DoesNotExist"}]


@pytest.fixture
def layer(images: Images, options: dict[str, Image], definitions: dict[str, Path]) -> Layer:
    """Return a function that makes a program of the layer alone."""

    def make(policy: Policy) -> Callable[[], object]:
        def program() -> None:
            provider = pulumi.ProviderResource("kubernetes", "provider", {})
            target = Target(provider=provider, cluster=provider)
            chosen = replace(images, **options)
            Autoscaling("autoscaling", AutoscalingArgs(target, "demo", "token", policy, chosen, definitions))

        return program

    return make


def test_a_policy_that_asks_for_nothing_gets_nothing(deploy: Deploy, layer: Layer) -> None:
    deployed = deploy(layer(Policy()))
    assert deployed.objects() == []
    assert deployed.of_type("NodeServer") == []


def test_the_autoscaler_waits_for_its_server_and_keeps_its_key_secret(deploy: Deploy, layer: Layer) -> None:
    deployed = deploy(layer(GROWING))
    name = "Deployment/cluster-autoscaler/cluster-autoscaler"
    assert deployed.waits_for(name, "autoscaling-node-server")
    (found,) = deployed.of_type("NodeServer")
    assert {"key", "server_key"} <= found.secret_outputs
    assert found.deleted_with == ""


@pytest.mark.parametrize(
    ("mode", "parts"),
    [
        ("Off", {"vpa-recommender"}),
        ("Initial", {"vpa-recommender", "vpa-updater", "vpa-admission-controller"}),
    ],
)
def test_what_changes_pods_runs_only_where_a_policy_applies_recommendations(
    deploy: Deploy, layer: Layer, mode: str, parts: set[str]
) -> None:
    deployed = deploy(layer(Policy.model_validate({"web": {"vpa": {"mode": mode}}})))
    assert {each.inputs["metadata"]["name"] for each in deployed.of_type(":Deployment")} == parts
    webhooks = deployed.of_type("MutatingWebhookConfiguration")
    assert bool(webhooks) == (len(parts) > 1)


def test_definitions_that_were_not_given_are_named(deploy: Deploy, images: Images) -> None:
    wanted = Policy.model_validate({"web": {"vpa": {"mode": "Off"}}})

    def program() -> None:
        provider = pulumi.ProviderResource("kubernetes", "provider", {})
        target = Target(provider=provider, cluster=provider)
        Autoscaling("autoscaling", AutoscalingArgs(target, "demo", "token", wanted, images, {}))

    with pytest.raises(TidegateError, match="vpa-definitions was not given"):
        deploy(program)


class Started:
    """Stands for the process: which clusters' servers were started."""

    def __init__(self) -> None:
        self.clusters: list[str] = []
        self.lives = True


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Started:
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path))
    found = Started()

    def address(network: str) -> str:
        assert network == "tidegate-demo"
        return "127.0.0.1"

    def lives(cluster: str) -> bool:
        return found.lives

    monkeypatch.setattr(server.docker, "gateway_address", address)
    monkeypatch.setattr(server, "start", found.clusters.append)
    monkeypatch.setattr(process, "running", lives)
    return found


def asked(policy: Policy = GROWING) -> dict[str, Any]:
    groups = [group.model_dump_json() for group in policy.node_groups]
    return {"cluster": "demo", "cluster_id": "token", "groups": groups}


def test_a_server_is_told_its_groups_and_certificates(started: Started) -> None:
    made = NodeServerProvider().create(asked())
    settings = load_settings("demo")
    assert started.clusters == ["demo"]
    assert made.outs is not None
    assert settings.address == made.outs["address"]
    assert settings.address.startswith("127.0.0.1:")
    assert settings.groups == GROWING.node_groups
    assert settings.key not in (made.outs["key"], "")


def test_other_groups_start_it_anew_under_the_same_address_and_certificates(started: Started) -> None:
    provider = NodeServerProvider()
    olds = provider.create(asked()).outs
    assert olds is not None
    more = Policy.model_validate({"node_groups": [{"name": "small"}, {"name": "large"}]})
    assert provider.diff("token", olds, asked(more)).changes
    before = load_settings("demo")
    news = provider.update("token", olds, asked(more)).outs
    assert news is not None
    after = load_settings("demo")
    assert started.clusters == ["demo", "demo"]
    assert after.groups == more.node_groups
    assert after.model_copy(update={"groups": before.groups}) == before
    assert news["key"] == olds["key"]


def test_a_server_that_ended_is_a_change_and_one_that_runs_is_none(started: Started) -> None:
    olds = NodeServerProvider().create(asked()).outs
    assert olds is not None
    assert not NodeServerProvider().diff("token", olds, asked()).changes
    started.lives = False
    changed = NodeServerProvider().diff("token", olds, asked())
    assert (changed.changes, changed.replaces) == (True, [])


def test_another_cluster_is_another_server(started: Started) -> None:
    olds = NodeServerProvider().create(asked()).outs
    assert olds is not None
    assert NodeServerProvider().diff("token", olds, {**asked(), "cluster_id": "new"}).replaces == [
        "cluster_id"
    ]
