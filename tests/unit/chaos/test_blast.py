"""The blast radius is known before anything is touched."""

from __future__ import annotations

from typing import Any

import pytest

from tidegate.chaos.blast import radius
from tidegate.chaos.catalogue import load_experiments


def pod(name: str, component: str = "web", node: str = "worker", phase: str = "Running") -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "tidegate", "app.kubernetes.io/component": component}
    return {
        "metadata": {"name": name, "labels": labels},
        "spec": {"nodeName": node},
        "status": {"phase": phase, "conditions": [{"type": "Ready", "status": "True"}]},
    }


PODS = [pod("a"), pod("b", node="worker2"), pod("w", "worker"), pod("dead", phase="Failed")]


@pytest.mark.parametrize(
    ("name", "eligible", "most"),
    [
        ("pod-kill", ("a", "b"), 1),
        ("cpu-stress", ("a", "b"), 2),
        ("redis-away", ("a", "b", "w"), 3),
        ("guarded-stress", ("a", "b"), 1),
        ("postgres-restart", (), 0),
    ],
)
def test_it_names_the_pods_and_how_many_are_hit(name: str, eligible: tuple[str, ...], most: int) -> None:
    found = radius(load_experiments([name])[0], PODS)
    assert (found.pods, found.most) == (eligible, most)


def test_a_stopped_node_takes_what_runs_on_it() -> None:
    found = radius(load_experiments(["node-loss"])[0], PODS, "worker")
    assert found.pods == ("a", "dead", "w")
    assert "stops the node worker" in " ".join(found.lines())


def test_a_schedule_may_hit_them_all_one_after_another() -> None:
    lines = radius(load_experiments(["pod-kill-schedule"])[0], PODS).lines()
    assert any("anew" in line for line in lines)


def test_a_partition_says_what_it_cuts_off() -> None:
    assert "redis.data" in " ".join(radius(load_experiments(["partition-redis"])[0], PODS).beyond)
