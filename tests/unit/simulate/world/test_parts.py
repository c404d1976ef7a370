"""Pods, nodes and the metrics pipeline by themselves."""

from __future__ import annotations

from tidegate.simulate.hpa.spec import NANOS
from tidegate.simulate.world.cluster import Cluster
from tidegate.simulate.world.measured import cores, scrape, usage
from tidegate.simulate.world.parameters import Nodes
from tidegate.simulate.world.pod import Pod
from tidegate.simulate.world.quota import Quota

FULL = Quota(1.0, 0.1, 0.1)


def test_work_waits_for_the_work_before_it() -> None:
    pod = Pod("p", 0.0, Quota(0.5, 0.05, 0.1))
    assert pod.work(1.0, 1.0) == 3.0
    assert pod.work(2.0, 0.5) == 4.0
    assert pod.used_cpu_s(2.0) == 0.5
    assert pod.work(10.0, 0.5) == 11.0
    assert pod.used_cpu_s(11.0) == 2.0


def test_usage_is_the_difference_of_two_samples() -> None:
    pod = Pod("p", 0.0, FULL, started_s=0.0)
    assert not scrape(pod, None, 15)
    assert not scrape(pod, (40.0, 4.0), 15)
    assert cores(pod) is None
    assert scrape(pod, (55.0, 10.0), 15)
    assert cores(pod) == (55.0, 15.0, 0.4)
    found = usage(pod, 1000.5)
    assert found is not None
    assert (found.t_ns, found.window_ns) == (1055 * NANOS, 15 * NANOS)
    assert found.containers[0].usage_milli == {"cpu": 400}


def test_a_sample_seen_again_keeps_the_old_pair() -> None:
    pod = Pod("p", 0.0, FULL, started_s=0.0, stored=((40.0, 4.0), (55.0, 10.0)))
    assert not scrape(pod, (55.0, 10.0), 15)
    assert cores(pod) == (55.0, 15.0, 0.4)


def test_one_sample_of_a_young_container_suffices() -> None:
    pod = Pod("p", 0.0, FULL, started_s=30.0)
    assert scrape(pod, (42.0, 6.0), 15)
    assert cores(pod) == (42.0, 12.0, 0.5)
    assert not scrape(Pod("too young", 0.0, FULL, started_s=30.0), (39.0, 6.0), 15)
    assert not scrape(Pod("too old", 0.0, FULL, started_s=30.0), (45.0, 6.0), 15)


def test_nodes_fill_up_and_are_asked_for_once() -> None:
    cluster = Cluster(Nodes(cpu_m=1000, least=1, most=3), 400, 0.0)
    pods = [Pod(f"p{number}", 0.0, FULL) for number in range(5)]
    assert [cluster.place(pod) for pod in pods] == [True, True, False, False, False]
    assert cluster.wanted(3) == 2
    assert cluster.wanted(3) == 0, "they are on their way"
    assert cluster.add(90.0) == 1
    assert cluster.place(pods[2])
    assert pods[2].node == 1


def test_an_empty_node_goes_after_its_time_and_the_fewest_stay() -> None:
    cluster = Cluster(Nodes(cpu_m=1000, least=1, most=3, unneeded_s=600), 1000, 0.0)
    pods = [Pod("a", 0.0, FULL), Pod("b", 0.0, FULL)]
    cluster.wanted(1)
    cluster.add(0.0)
    assert all(cluster.place(pod) for pod in pods)
    cluster.remove(pods[1], 100.0)
    assert cluster.unneeded(699.0) == []
    assert cluster.unneeded(700.0) == [1]
    cluster.remove(pods[0], 800.0)
    assert cluster.unneeded(10_000.0) == []


def test_a_pod_that_fits_on_no_node_asks_for_none() -> None:
    cluster = Cluster(Nodes(cpu_m=100, least=1, most=3), 400, 0.0)
    assert not cluster.place(Pod("p", 0.0, FULL))
    assert cluster.wanted(1) == 0
