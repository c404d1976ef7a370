"""The floor is moved and put back, whatever happens in between."""

from __future__ import annotations

import pytest
from support.scaled_cluster import ScaledCluster

from tidegate.bench import floor as module
from tidegate.bench.floor import BEFORE, Floor, floors_kept, put_all_back, web_floor, worker_floor
from tidegate.errors import TidegateError
from tidegate.models.policy import Policy

QUEUE = Policy.model_validate({"worker": {"scale_by": "queue"}})
WORKER = "scaledobjects/tidegate-worker"


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_: float) -> None:
        pass

    monkeypatch.setattr(module.time, "sleep", sleep)


def policy(metric: str = "cpu") -> Policy:
    return Policy.model_validate({"web": {"hpa": {"metric": metric}}})


def floor_of(cluster: ScaledCluster) -> Floor:
    return web_floor(cluster.client(), policy(cluster.metric))


def silent(_: str) -> None:
    pass


@pytest.mark.parametrize("metric", ["cpu", "rps"])
def test_it_is_moved_and_put_back(metric: str) -> None:
    cluster = ScaledCluster(metric=metric, least=3)
    floor = floor_of(cluster)
    floor.move(20)
    assert (cluster.floor, cluster.annotations()) == (20, {BEFORE: "3"})
    floor.move(4)
    assert (cluster.floor, cluster.annotations()) == (4, {BEFORE: "3"})
    assert floor.put_back() == 4
    assert (cluster.floor, cluster.annotations()) == (3, {})


def test_floor_and_memory_of_it_are_one_request() -> None:
    cluster = ScaledCluster()
    floor_of(cluster).move(9)
    ((_, _, body),) = cluster.patches
    assert body == {"metadata": {"annotations": {BEFORE: "2"}}, "spec": {"minReplicas": 9}}


def test_what_is_written_is_written_so_that_pulumi_takes_it_back() -> None:
    cluster = ScaledCluster()
    floor_of(cluster).move(9)
    floor_of(cluster).put_back()
    assert [manager.startswith("kubectl") for _, manager, _ in cluster.patches] == [True, True]


def test_a_floor_that_nobody_moved_is_let_be() -> None:
    cluster = ScaledCluster(least=5)
    assert floor_of(cluster).put_back() is None
    assert cluster.patches == []


def test_an_api_server_that_answers_late_is_asked_again() -> None:
    cluster = ScaledCluster(refusals=3)
    floor_of(cluster).move(9)
    assert cluster.floor == 9


def test_one_that_never_answers_is_an_error() -> None:
    with pytest.raises(TidegateError, match="etcd is slow"):
        floor_of(ScaledCluster(refusals=100)).move(9)


def test_without_the_autoscaler_there_is_one_line_with_a_cure() -> None:
    floor = web_floor(ScaledCluster(metric="cpu").client(), policy("rps"))
    with pytest.raises(TidegateError, match=r"scaledobject/tidegate-web.*tidegate up"):
        floor.move(9)


def test_a_memory_that_is_no_number_is_told() -> None:
    cluster = ScaledCluster()
    floor_of(cluster).move(9)
    cluster.annotations()[BEFORE] = "many"
    with pytest.raises(TidegateError, match="'many', not a number"):
        floor_of(cluster).put_back()


@pytest.mark.parametrize("end", [KeyboardInterrupt, RuntimeError, TidegateError])
def test_however_the_block_ends_the_floor_is_put_back(end: type[BaseException]) -> None:
    cluster = ScaledCluster()
    floor = floor_of(cluster)

    def broken() -> None:
        with floors_kept([floor], silent):
            floor.move(20)
            raise end("x")

    with pytest.raises(end):
        broken()
    assert (cluster.floor, cluster.annotations()) == (2, {})


def test_what_a_killed_one_left_is_put_back_first_and_told() -> None:
    cluster = ScaledCluster()
    floor_of(cluster).move(20)
    said: list[str] = []
    with floors_kept([floor_of(cluster)], said.append):
        assert cluster.floor == 2
    (line,) = said
    assert "broken off" in line
    assert "was 20, it is 2 again" in line


def test_one_that_cannot_be_put_back_does_not_keep_the_next_from_it() -> None:
    cluster = ScaledCluster(worker={"minReplicaCount": 0, "maxReplicaCount": 8})
    worker = worker_floor(cluster.client(), QUEUE)
    assert worker is not None
    worker.move(8)
    gone = web_floor(cluster.client(), policy("rps"))
    with pytest.raises(TidegateError, match=r"may still be moved.*churn --clean"):
        put_all_back([gone, worker], silent)
    assert cluster.objects[WORKER]["spec"]["minReplicaCount"] == 0
    assert cluster.annotations(WORKER) == {}


def test_workers_that_nothing_scales_have_no_floor() -> None:
    assert worker_floor(ScaledCluster().client(), policy()) is None
