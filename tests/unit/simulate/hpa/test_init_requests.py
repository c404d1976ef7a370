"""Ordinary init containers count only where something is requested for the pod as a whole."""

from __future__ import annotations

import pytest

from tidegate.simulate.hpa.pods import Container, Pod
from tidegate.simulate.hpa.release import release
from tidegate.simulate.hpa.requests import requests_by_pod
from tidegate.simulate.live import init_requests


@pytest.mark.parametrize(
    ("whole", "init", "expected"),
    [({}, 900, 500), ({"cpu": 9}, 900, 900), ({"cpu": 9}, 100, 500), ({"memory": 700}, 900, 700)],
)
def test_what_a_pod_requests(whole: dict[str, int], init: int, expected: int) -> None:
    pod = Pod(
        "p",
        containers=(Container("app", {"memory": 500}),),
        pod_requests_milli=whole,
        init_requests_milli={"memory": init},
    )
    assert requests_by_pod([pod], "memory", None, release("1.36")) == {"p": expected}


def test_each_runs_beside_the_restartable_ones_before_it() -> None:
    def part(cpu: str, **more: str) -> dict[str, object]:
        return {"resources": {"requests": {"cpu": cpu}}, **more}

    always = {"restartPolicy": "Always"}
    assert init_requests([part("300m"), part("100m", **always), part("250m")]) == {"cpu": "350m"}
    assert init_requests([part("100m", **always)]) == {}
