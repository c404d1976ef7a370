"""What the chart makes of a policy that asks for KEDA, a VPA, node groups or headroom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.manifests import Manifest
from infra.policy import check
from infra.policy.shape import of_kind, subject
from tidegate.models.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.charts.conftest import Render

    Refused = Callable[[list[str]], str]


def values(**parts: Any) -> dict[str, Any]:
    return Policy.model_validate(parts).chart_values()


def only(objects: list[Manifest], kind: str) -> Manifest:
    (found,) = of_kind(objects, kind)
    return found


def deployment(objects: list[Manifest], component: str) -> dict[str, Any]:
    name = f"tidegate-{component}"
    (found,) = [each for each in of_kind(objects, "Deployment") if each["metadata"]["name"] == name]
    return found["spec"]


def environment(objects: list[Manifest]) -> dict[str, Any]:
    container = deployment(objects, "web")["template"]["spec"]["containers"][0]
    return {each["name"]: each.get("value") for each in container["env"]}


EVERYTHING = values(
    web={"hpa": {"metric": "rps"}, "vpa": {"mode": "InPlaceOrRecreate"}},
    worker={"scale_by": "queue", "vpa": {"mode": "Off"}},
    node_groups=[{"name": "large", "dedicated": True}],
    headroom={"replicas": 2},
)


def test_a_policy_that_asks_for_nothing_gets_what_the_charts_own_defaults_make(render: Render) -> None:
    kinds = {each["kind"] for each in render(values())}
    assert not kinds & {"ScaledObject", "VerticalPodAutoscaler", "PriorityClass"}
    assert [subject(each) for each in render(values())] == [subject(each) for each in render()]
    assert "TIDEGATE_PUBLISH_QUEUE" not in environment(render(values()))
    assert deployment(render(values()), "worker")["replicas"] == 1


def test_all_of_it_keeps_the_rules(render: Render) -> None:
    assert check(render(EVERYTHING)) == []


def test_a_vpa_of_the_web_pods_leaves_nginx_alone(render: Render) -> None:
    for nginx, wanted in ((False, {"web": None}), (True, {"web": None, "nginx": "Off"})):
        objects = render(values(web={"vpa": {"mode": "Recreate"}, "nginx": {"enabled": nginx}}))
        rules = only(objects, "VerticalPodAutoscaler")["spec"]["resourcePolicy"]["containerPolicies"]
        assert {rule["containerName"]: rule.get("mode") for rule in rules} == wanted


def test_requests_a_second_replace_the_hpa_by_one_of_kedas(render: Render) -> None:
    objects = render(values(web={"hpa": {"metric": "rps", "rps_per_pod": 25, "max_replicas": 20}}))
    assert list(of_kind(objects, "HorizontalPodAutoscaler")) == []
    spec = only(objects, "ScaledObject")["spec"]
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (2, 20)
    config = spec["advanced"]["horizontalPodAutoscalerConfig"]
    assert config["name"] == "tidegate-web-rps"
    assert config["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
    (trigger,) = spec["triggers"]
    assert trigger["metricType"] == "AverageValue"
    assert trigger["metadata"]["threshold"] == "25"
    assert trigger["metadata"]["ignoreNullValues"] == "false"


def test_less_than_a_request_a_second_for_each_pod(render: Render) -> None:
    for wanted, said in ((0.5, "0.5"), (40, "40")):
        objects = render(values(web={"hpa": {"metric": "rps", "rps_per_pod": wanted}}))
        (trigger,) = only(objects, "ScaledObject")["spec"]["triggers"]
        assert trigger["metadata"]["threshold"] == said


def test_workers_follow_depth_and_age(render: Render) -> None:
    queue = {"max_replicas": 5, "depth_target": 7, "age_target_s": 3, "polling_s": 2, "cooldown_s": 9}
    queue["scale_down_window_s"] = 45
    objects = render(values(worker={"scale_by": "queue", "queue": queue}))
    spec = only(objects, "ScaledObject")["spec"]
    assert spec["scaleTargetRef"]["name"] == "tidegate-worker"
    assert (spec["minReplicaCount"], spec["maxReplicaCount"]) == (0, 5)
    assert (spec["pollingInterval"], spec["cooldownPeriod"]) == (2, 9)
    behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behavior == {"scaleDown": {"stabilizationWindowSeconds": 45}}
    wanted = {t["name"]: (t["metricType"], t["metadata"]["threshold"]) for t in spec["triggers"]}
    assert wanted == {"depth": ("AverageValue", "7"), "age": ("Value", "3")}
    assert "replicas" not in deployment(objects, "worker")


@pytest.mark.parametrize(
    ("worker", "budgets"),
    [({"replicas": 1}, 0), ({"replicas": 2}, 1), ({"scale_by": "queue"}, 1)],
    ids=["one", "two", "queue"],
)
def test_workers_of_which_there_may_be_several_leave_one_by_one(
    render: Render, worker: dict[str, Any], budgets: int
) -> None:
    objects = render(values(worker=worker))
    found = [each for each in objects if each["kind"] == "PodDisruptionBudget"]
    own = [each["spec"] for each in found if each["metadata"]["name"] == "tidegate-worker"]
    assert [each["maxUnavailable"] for each in own] == [1] * budgets


def test_while_there_is_no_worker_web_pods_tell_of_the_queue(render: Render) -> None:
    assert environment(render(values(worker={"scale_by": "queue"})))["TIDEGATE_PUBLISH_QUEUE"] == "true"


@pytest.mark.parametrize("mode", ["Off", "Initial", "Recreate", "InPlaceOrRecreate"])
def test_a_vpa_changes_requests_of_one_container_within_bounds(render: Render, mode: str) -> None:
    vpa = only(render(values(web={"vpa": {"mode": mode}})), "VerticalPodAutoscaler")
    assert vpa["spec"]["updatePolicy"] == {"updateMode": mode}
    (container,) = vpa["spec"]["resourcePolicy"]["containerPolicies"]
    assert container == {
        "containerName": "web",
        "controlledResources": ["memory"],
        "controlledValues": "RequestsOnly",
        "minAllowed": {"cpu": "25m", "memory": "64Mi"},
        "maxAllowed": {"cpu": "500m", "memory": "256Mi"},
    }


def test_headroom_gives_way_to_everything_and_still_buys_nodes(render: Render) -> None:
    objects = render(values(headroom={"replicas": 3, "cpu_m": 700, "memory_mi": 300}))
    priority = only(objects, "PriorityClass")
    assert (priority["value"], priority["preemptionPolicy"]) == (-10, "Never")
    spec = deployment(objects, "headroom")
    assert spec["replicas"] == 3
    pod = spec["template"]["spec"]
    assert pod["priorityClassName"] == priority["metadata"]["name"]
    assert pod["terminationGracePeriodSeconds"] == 0
    assert pod["containers"][0]["resources"]["requests"] == {"cpu": "700m", "memory": "300Mi"}


def test_every_pod_may_go_to_a_dedicated_group(render: Render) -> None:
    for component in ("web", "worker", "headroom"):
        (toleration,) = deployment(render(EVERYTHING), component)["template"]["spec"]["tolerations"]
        assert (toleration["key"], toleration["value"]) == ("tidegate.io/node-group", "large")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["web.vpa.mode=Recreate", "web.vpa.controlledResources={cpu}"], "chase each other"),
        (["worker.scaleBy=queue", "web.server=gunicorn"], "leave the queue out"),
        (["worker.scaleBy=queue", "worker.queue.minReplicas=9"], "maxReplicas is below"),
        (["hpa.metric=memory"], "metric"),
    ],
)
def test_what_cannot_work_is_refused(refused: Refused, words: list[str], said: str) -> None:
    assert said in refused(words)
