"""What scales beside the web pods' HPA, and which of it may not go together."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from tidegate.models import Policy
from tidegate.models.text import value_text

GROUP = {"name": "small", "cpu_m": 500, "memory_mi": 512}


def policy(**parts: Any) -> Policy:
    return Policy.model_validate(parts)


@pytest.mark.parametrize("mode", ["Initial", "Recreate", "InPlaceOrRecreate"])
@pytest.mark.parametrize("resources", ["cpu", "both"])
def test_a_vpa_that_acts_on_what_the_hpa_scales_on_is_refused_with_the_reason(
    mode: str, resources: str
) -> None:
    with pytest.raises(ValidationError, match=r"known-limitations\.md, issue 6060"):
        policy(web={"vpa": {"mode": mode, "resources": resources}})


@pytest.mark.parametrize(
    "web",
    [
        {"vpa": {"mode": "Off", "resources": "both"}},
        {"vpa": {"mode": "InPlaceOrRecreate", "resources": "memory"}},
        {"vpa": {"mode": "InPlaceOrRecreate", "resources": "cpu"}, "hpa": {"metric": "rps"}},
    ],
)
def test_what_does_not_chase_itself_is_allowed(web: dict[str, Any]) -> None:
    assert policy(web=web).needs_vpa


def test_a_bare_off_is_the_word_and_not_a_falsehood() -> None:
    document = yaml.safe_load("web: {vpa: {mode: Off}}")
    assert policy(**document).web.vpa.mode == "Off"
    with pytest.raises(ValidationError, match="mode"):
        policy(web={"vpa": {"mode": True}})


def test_workers_have_no_hpa_on_cpu() -> None:
    worker = {"vpa": {"mode": "Recreate", "resources": "both"}, "scale_by": "queue"}
    assert policy(worker=worker).worker.vpa.controlled == ("cpu", "memory")


@pytest.mark.parametrize(
    ("worker", "said"),
    [
        (
            {"memory_limit_mi": 200, "vpa": {"mode": "Recreate"}},
            "max_memory_mi 256 is above the pod's limit 200",
        ),
        (
            {"cpu_limit_m": 400, "vpa": {"mode": "Initial", "resources": "cpu"}},
            "max_cpu_m 500 is above the pod's limit 400",
        ),
        ({"vpa": {"min_memory_mi": 300}}, "min_memory_mi 300 is above max_memory_mi 256"),
        ({"queue": {"min_replicas": 9}}, "min_replicas 9 is above max_replicas 8"),
        ({"queue": {"depth_target": 0}}, "depth_target"),
        ({"scale_by": "age"}, "scale_by"),
    ],
)
def test_what_kubernetes_or_reason_forbids_is_refused(worker: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        policy(worker=worker)


@pytest.mark.parametrize(
    "worker",
    [
        {"memory_limit_mi": 200},
        {"memory_limit_mi": 200, "vpa": {"mode": "Off"}},
        {"cpu_limit_m": 400, "vpa": {"mode": "Recreate"}},
        {"cpu_limit_m": None, "vpa": {"mode": "Recreate", "resources": "cpu"}},
    ],
)
def test_bounds_that_nobody_applies_may_be_above_a_limit(worker: dict[str, Any]) -> None:
    assert policy(worker=worker)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ([GROUP, GROUP], "two node_groups are called small"),
        ([{**GROUP, "min_nodes": 4}], "min_nodes 4 is above max_nodes 3"),
        ([{**GROUP, "name": "Small"}], "name"),
        ([{**GROUP, "name": "a-name-too-long"}], "name"),
        ([{**GROUP, "cpu_m": 50}], "cpu_m"),
    ],
)
def test_groups_that_cannot_be(groups: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        policy(node_groups=groups)


def test_by_default_nothing_more_is_needed() -> None:
    usual = Policy()
    assert not usual.needs_keda
    assert not usual.needs_vpa
    assert not usual.needs_cluster_autoscaler


def test_what_is_needed_follows_from_what_is_asked() -> None:
    assert policy(web={"hpa": {"metric": "rps"}}).needs_keda
    assert policy(worker={"scale_by": "queue"}).needs_keda
    assert policy(worker={"vpa": {"mode": "Off"}}).needs_vpa
    assert policy(node_groups=[GROUP]).needs_cluster_autoscaler


def test_the_most_workers_are_those_of_what_scales_them() -> None:
    assert policy(worker={"replicas": 3}).worker.most_replicas == 3
    assert policy(worker={"replicas": 3, "scale_by": "queue"}).worker.most_replicas == 8


def test_pods_tolerate_dedicated_groups_only() -> None:
    groups = [GROUP, {**GROUP, "name": "large", "dedicated": True}]
    assert policy(node_groups=groups).chart_values()["tolerations"] == [
        {"key": "tidegate.io/node-group", "operator": "Equal", "value": "large", "effect": "NoSchedule"}
    ]


def test_a_group_in_words() -> None:
    groups = policy(node_groups=[GROUP, {"name": "large", "min_nodes": 1, "dedicated": True}]).node_groups
    assert value_text("node_groups", groups) == (
        "small: 0 to 3 nodes of 500 m, 512 Mi; large: 1 to 3 nodes of 1,000 m, 1,024 Mi, dedicated"
    )
    assert value_text("node_groups", ()) == "none"
