"""What `bench killed` sees of a tool that was killed: the fault that stays, the processes that stay."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.children import wait_until

from bench import killed as under_test
from bench.killed import Killed
from tidegate.chaos.catalogue import load_experiments
from tidegate.chaos.cluster import Cluster
from tidegate.observe.kubeconfig import ApiAccess

TOOL = """
import subprocess, sys, time
print("  pod-failure: making the fault: pod-failure", flush=True)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep({child_s})"])
time.sleep(600)
"""


class Api:
    """A fault that goes after a number of questions for it, and one node."""

    def __init__(
        self, lasts: int, *, cordoned: bool = False, recovered: bool = False, stopped: bool = False
    ) -> None:
        self.lasts = lasts
        self.stopped = stopped
        self.recovered = recovered
        self.node: dict[str, Any] = {
            "metadata": {"name": "worker"},
            "spec": {"unschedulable": True} if cordoned else {},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        }

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if name == "nodes":
            return httpx.Response(200, json={"items": [self.node]})
        if name == "pod-failure":
            status = {
                "conditions": [
                    {"type": "AllInjected", "status": "True"},
                    {"type": "AllRecovered", "status": str(self.recovered)},
                ]
            }
            return httpx.Response(200, json={"metadata": {"name": name}, "status": status})
        self.lasts -= name == "podchaos"
        there = name == "podchaos" and self.lasts >= 0
        return httpx.Response(200, json={"items": [{"metadata": {"name": "pod-failure"}}] if there else []})

    def cluster(self) -> Cluster:
        access = ApiAccess("http://127.0.0.1:1", verify=False, headers={})
        return Cluster(access, httpx.MockTransport(self))


@pytest.fixture
def try_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Killed]:
    """Tries pod-failure with a program in the tool's place; all waits are short."""
    for name, seconds in (
        ("_INTO_FAULT_S", 0.1),
        ("_TICK_S", 0.05),
        ("LIFTER_MARGIN_S", -42.0),
        ("_COMMANDS_S", 0.0),
    ):
        monkeypatch.setattr(under_test, name, seconds)
    monkeypatch.setattr(under_test, "GRACE_S", 0.0)

    def done(api: Api, tool: str, cleaned: str = "nothing was left") -> Killed:
        def words(*asked: str) -> list[str]:
            return [sys.executable, "-c", f"print({cleaned!r})" if "--clean" in asked else tool]

        monkeypatch.setattr(under_test, "_tool", words)
        (experiment,) = load_experiments(["pod-failure"])
        docker = tmp_path / "docker"
        docker.write_text(f"#!/bin/sh\necho {str(not api.stopped).lower()}\n")
        docker.chmod(0o755)
        return under_test.try_out(
            api.cluster(), experiment, "chaos", {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        )

    return done


def test_a_fault_that_went_with_all_processes_is_well(try_out: Callable[..., Killed]) -> None:
    found = try_out(Api(lasts=3), TOOL.format(child_s=0.5))
    assert found.there == ("PodChaos pod-failure injected",)
    assert found.well


def test_a_fault_that_stays_is_not(try_out: Callable[..., Killed]) -> None:
    found = try_out(Api(lasts=10**6), TOOL.format(child_s=0))
    assert (found.over_s, found.gone_s, found.well) == (None, None, False)
    assert found.ended_s is not None


def test_an_object_that_stays_of_a_fault_that_is_over_is_told_apart(try_out: Callable[..., Killed]) -> None:
    found = try_out(Api(lasts=10**6, recovered=True), TOOL.format(child_s=0))
    assert found.over_s is not None
    assert (found.gone_s, found.well) == (None, False)


def test_a_node_that_stays_cordoned_is_not(try_out: Callable[..., Killed]) -> None:
    found = try_out(Api(lasts=0, cordoned=True), TOOL.format(child_s=0))
    assert (found.there, found.well) == (("node worker cordoned",), False)


def test_a_node_that_stays_stopped_is_not_although_the_api_knows_nothing_yet(
    try_out: Callable[..., Killed],
) -> None:
    found = try_out(Api(lasts=0, stopped=True), TOOL.format(child_s=0))
    assert (found.there, found.well) == (("node worker stopped",), False)


def test_a_process_that_stays_is_not(try_out: Callable[..., Killed]) -> None:
    found = try_out(Api(lasts=0), TOOL.format(child_s=8))
    assert (found.ended_s, found.well) == (None, False)


def test_what_clean_still_finds_is_not(try_out: Callable[..., Killed]) -> None:
    assert not try_out(Api(lasts=0), TOOL.format(child_s=0), cleaned="lifted PodChaos pod-failure").well


def test_a_tool_that_makes_no_fault_is_an_error_with_its_last_line(try_out: Callable[..., Killed]) -> None:
    with pytest.raises(under_test.TidegateError, match="never made: no such stack"):
        try_out(Api(lasts=0), "print('no such stack')")


def test_processes_of_a_session_are_found(tmp_path: Path) -> None:
    script = f"import os, time; os.fork(); open('{tmp_path}/' + str(os.getpid()), 'w'); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", script], start_new_session=True)
    try:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2, what="both processes")
        found = under_test.session(child.pid)
        assert {str(each) for each in found} == {each.name for each in tmp_path.iterdir()}
    finally:
        for each in tmp_path.iterdir():
            subprocess.run(["kill", "-9", each.name], check=False)
        child.wait()
