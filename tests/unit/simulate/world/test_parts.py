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
    cluster = Cluster(Nodes(cpu_m=1000, least=1, most=3), 400)
    pods = [Pod(f"p{number}", 0.0, FULL) for number in range(5)]
    assert [cluster.place(pod) for pod in pods] == [True, True, False, False, False]
    assert cluster.wanted(3) == 2
    assert cluster.wanted(3) == 0, "they are on their way"
    assert cluster.add(90.0) == 1
    assert cluster.place(pods[2])
    assert pods[2].node == 1


def grown(pods_on: tuple[int, ...], **nodes: float) -> tuple[Cluster, list[Pod]]:
    """Return a cluster of nodes with so many pods each, of at most ten, all but one added at 0 s."""
    settings = {"cpu_m": 1000, "least": 1, "most": len(pods_on), "unneeded_s": 600, "delay_after_add_s": 0}
    cluster = Cluster(Nodes.model_validate(settings | nodes), 100)
    pods = list[Pod]()
    for number, count in enumerate(pods_on):
        if number:
            cluster.wanted(count)
            cluster.add(0.0)
        cluster.leaving = set(cluster.pods_on) - {number}
        pods += [Pod(f"p{number}-{place}", 0.0, FULL) for place in range(count)]
        assert all(cluster.place(pod) for pod in pods[len(pods) - count :])
    cluster.leaving = set()
    return cluster, pods


def test_an_empty_node_goes_after_its_time_and_the_fewest_stay() -> None:
    cluster, pods = grown((1, 6), utilization_percent=0)
    for pod in pods[1:]:
        cluster.remove(pod)
    assert cluster.look(100.0) == ([], [])
    cluster = Cluster(Nodes(cpu_m=1000, least=1, most=3, delay_after_add_s=0), 100)
    cluster.wanted(1)
    cluster.add(0.0)
    assert cluster.look(100.0) == ([], [])
    assert cluster.look(699.0) == ([], [])
    assert cluster.look(700.0) == ([1], [])
    assert cluster.look(10_000.0) == ([], [])


def test_a_node_that_is_needed_in_between_begins_anew() -> None:
    cluster, pods = grown((2, 0))
    cluster.look(0.0)
    more = [Pod(f"more-{place}", 0.0, FULL) for place in range(14)]
    assert all(cluster.place(pod) for pod in more)
    assert cluster.look(300.0) == ([], [])
    for pod in more:
        cluster.remove(pod)
    assert cluster.look(310.0) == ([], [])
    assert cluster.look(909.0) == ([], [])
    assert cluster.look(910.0) == ([1], [])
    assert len(pods) == 2


def test_a_node_with_few_pods_goes_when_they_have_room_elsewhere() -> None:
    cluster, pods = grown((7, 3))
    cluster.look(0.0)
    assert cluster.look(600.0) == ([], [1])
    assert not cluster.place(Pod("big", 0.0, FULL)) or "big" not in cluster.pods_on[1]
    for pod in pods[7:]:
        cluster.remove(pod)
    assert cluster.look(610.0) == ([1], [])
    full, _ = grown((8, 3))
    full.look(0.0)
    assert full.look(600.0) == ([], []), "no room for three"
    busy, _ = grown((2, 5))
    busy.look(0.0)
    assert busy.look(600.0) == ([], [0]), "half of it is requested, so it stays and the other goes"


def test_after_a_new_node_none_goes_for_a_while() -> None:
    cluster, _ = grown((2, 0, 0), delay_after_add_s=900)
    cluster.look(0.0)
    assert cluster.look(899.0) == ([], [])
    assert cluster.look(900.0) == ([2, 1], [])


def test_a_pod_that_fits_on_no_node_asks_for_none() -> None:
    cluster = Cluster(Nodes(cpu_m=100, least=1, most=3), 400)
    assert not cluster.place(Pod("p", 0.0, FULL))
    assert cluster.wanted(1) == 0
