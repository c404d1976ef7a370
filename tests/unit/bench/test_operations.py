"""When an operation is through, and how long it may take."""

from __future__ import annotations

from typing import Any

import pytest
from support.scaled_cluster import ScaledCluster

from tidegate.bench import floor as floor_module
from tidegate.bench.floor import web_floor, worker_floor
from tidegate.bench.operations import Kind, Moved, Operations, times, way_down_s, way_up
from tidegate.errors import TidegateError
from tidegate.models.policy import Policy, ScaleRules

QUEUE = Policy.model_validate({"worker": {"scale_by": "queue"}})
WORKER = "scaledobjects/tidegate-worker"


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_: float) -> None:
        pass

    monkeypatch.setattr(floor_module.time, "sleep", sleep)


def rules(*limits: tuple[str, int, int], select: str = "Max", window_s: int = 0) -> ScaleRules:
    policies = [{"type": kind, "value": value, "period_s": period} for kind, value, period in limits]
    return ScaleRules.model_validate(
        {"stabilization_window_s": window_s, "select_policy": select, "policies": policies}
    )


AT_ONCE = rules(("Pods", 100, 15))


def operations(cluster: ScaledCluster, high: int = 6, low: int = 2) -> Operations:
    client = cluster.client()
    web = Moved(web_floor(client, QUEUE), high, low)
    worker = worker_floor(client, QUEUE)
    others = [Moved(worker, 8, 0)] if worker is not None and cluster.worker is not None else []
    return Operations(client, web, others, AT_ONCE)


def through(cluster: ScaledCluster, kind: Kind, most: int = 100) -> list[str]:
    """What it waited for, one word a look, until it was through."""
    problem = operations(cluster).begin(kind)
    said: list[str] = []
    while word := problem():
        said.append(word)
        assert len(said) < most, said[-1]
    return said


def test_a_scale_out_is_through_when_all_are_ready() -> None:
    cluster = ScaledCluster()
    through(cluster, Kind.OUT)
    assert [pod.ready for pod in cluster.pods] == [True] * 6


def test_a_scale_out_goes_at_the_pace_of_the_policy() -> None:
    cluster, now_s = ScaledCluster(), 0.0
    client = cluster.client()
    web = Moved(web_floor(client, QUEUE), 7, 2)
    problem = Operations(client, web, (), rules(("Pods", 2, 20)), lambda: now_s).begin(Kind.OUT)
    seen: list[tuple[float, int]] = []
    for now_s in (0.0, 19.0, 20.0, 39.0, 40.0, 100.0):
        problem()
        seen.append((now_s, cluster.objects["horizontalpodautoscalers/tidegate-web"]["spec"]["minReplicas"]))
    assert seen == [(0.0, 4), (19.0, 4), (20.0, 6), (39.0, 6), (40.0, 7), (100.0, 7)]


def test_a_step_that_the_api_server_refuses_is_taken_later() -> None:
    cluster, now_s = ScaledCluster(), 0.0
    client = cluster.client()
    web = Moved(web_floor(client, QUEUE), 6, 2)
    problem = Operations(client, web, (), rules(("Pods", 2, 20)), lambda: now_s).begin(Kind.OUT)
    now_s, cluster.refusals = 20.0, 100
    with pytest.raises(TidegateError, match="etcd is slow"):
        problem()
    cluster.refusals = 0
    for _ in range(10):
        problem()
    assert problem() == ""


@pytest.mark.parametrize(
    ("given", "way"),
    [
        (rules(("Pods", 4, 15)), [(8, 15), (12, 15), (16, 15), (20, 15)]),
        (rules(("Percent", 100, 15), ("Pods", 4, 15)), [(8, 15), (16, 15), (20, 15)]),
        (rules(("Percent", 100, 60), ("Pods", 4, 5), select="Min"), [(8, 15), (12, 15), (16, 15), (20, 15)]),
        (rules(("Percent", 1, 30)), [(n, 30) for n in range(5, 21)]),
        (rules(("Pods", 4, 15), select="Disabled"), [(20, 15)]),
    ],
)
def test_the_way_up_is_that_of_the_rules(given: ScaleRules, way: list[tuple[int, float]]) -> None:
    assert list(way_up(given, 4, 20)) == way


def test_pods_without_a_node_are_told() -> None:
    cluster = ScaledCluster(unschedulable="0/3 nodes are available: 3 Insufficient cpu.")
    problem = operations(cluster).begin(Kind.OUT)
    problem()
    assert problem() == "0 of 6 Ready; 6 have no node: 0/3 nodes are available: 3 Insufficient cpu."


def test_a_scale_in_is_through_when_the_surplus_is_gone() -> None:
    cluster = ScaledCluster(least=6)
    assert any("stay" in word for word in through(cluster, Kind.IN))
    assert len(cluster.pods) == 2


def test_an_autoscaler_that_keeps_more_is_told() -> None:
    cluster = ScaledCluster(least=6, busy=5)
    problem = operations(cluster).begin(Kind.IN)
    assert problem() == "the autoscaler keeps 5 replicas, 2 would do"
    cluster.busy = 0
    for _ in range(10):
        problem()
    assert problem() == ""


def test_an_update_is_through_when_no_old_pod_is_left() -> None:
    cluster = ScaledCluster(least=4)
    before = {pod.uid for pod in cluster.pods}
    said = through(cluster, Kind.UPDATE)
    assert said[0].endswith("of 4 are new, 4 old ones are there")
    assert said[-1].startswith("4 of 4 are new")
    assert len(cluster.pods) == 4
    assert not before & {pod.uid for pod in cluster.pods}


def test_an_update_is_what_kubectl_rollout_restart_does() -> None:
    cluster = ScaledCluster()
    operations(cluster).begin(Kind.UPDATE)
    ((name, manager, body),) = cluster.patches
    assert (name, manager) == ("deployments/tidegate-web", "kubectl-rollout")
    (annotation,) = body["spec"]["template"]["metadata"]["annotations"]
    assert annotation == "kubectl.kubernetes.io/restartedAt"


def test_an_update_that_gets_nowhere_is_never_through() -> None:
    problem = operations(ScaledCluster(stuck=True)).begin(Kind.UPDATE)
    assert all("2 old ones are there" in problem() for _ in range(20))


def test_the_workers_floor_goes_with_that_of_the_web_pods() -> None:
    cluster = ScaledCluster(worker={"minReplicaCount": 0, "maxReplicaCount": 8})
    through(cluster, Kind.OUT)
    assert cluster.objects[WORKER]["spec"]["minReplicaCount"] == 8
    through(cluster, Kind.IN)
    assert cluster.objects[WORKER]["spec"]["minReplicaCount"] == 0


def test_without_its_deployment_there_is_an_error() -> None:
    cluster = ScaledCluster(refusals=0)
    client = cluster.client()
    problem = Operations(client, Moved(web_floor(client, QUEUE), 6, 2), (), AT_ONCE).begin(Kind.IN)
    cluster.refusals = 1
    with pytest.raises(TidegateError, match="etcd is slow"):
        problem()


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (rules(("Percent", 100, 15)), 0),
        (rules(("Pods", 4, 60)), 180),  # 20, 16 at once, then 12, 8, 4
        (rules(("Pods", 4, 60), ("Percent", 100, 15)), 0),
        (rules(("Pods", 4, 60), ("Percent", 100, 15), select="Min"), 180),
        (rules(("Percent", 50, 5)), 30),  # 10 at once, then 5, 2; never sooner than the next sync
        (rules(("Percent", 1, 60)), 15 * 60),
    ],
)
def test_the_way_down_follows_the_policys_rules(given: ScaleRules, seconds: float) -> None:
    assert way_down_s(given, 20, 4) == seconds


def test_limits_know_the_policys_window_and_drain() -> None:
    def limit(kind: Kind, **web: Any) -> float:
        return times(Policy.model_validate({"web": web}), 20, 4).limit[kind]

    calm = {"stabilization_window_s": 1800, "policies": [{"type": "Percent", "value": 100, "period_s": 15}]}
    drain = {"termination_grace_s": 600}
    assert limit(Kind.IN, hpa={"scale_down": calm}) == limit(Kind.IN) + 1500
    assert limit(Kind.IN, drain=drain) == limit(Kind.IN) + 565
    assert limit(Kind.UPDATE, drain=drain) == limit(Kind.UPDATE) + 565


def test_nodes_that_must_come_first_are_given_time() -> None:
    grown = Policy.model_validate({"node_groups": [{"name": "a"}]})
    plain, more = times(Policy(), 20, 4), times(grown, 20, 4)
    assert more.limit[Kind.OUT] > plain.limit[Kind.OUT]
    assert all(plain.limit[kind] > plain.expected[kind] for kind in Kind)
