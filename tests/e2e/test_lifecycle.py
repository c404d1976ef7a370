"""From nothing to a judged Run and back to nothing, in the order in which a user lives it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest
from rich.console import Console
from support.machine import Footprint, difference, footprint
from support.peers import PEERS

from tidegate.deploy.down import take_down
from tidegate.deploy.events import OperationProgress
from tidegate.host.paths import kubeconfig_path
from tidegate.lag import breakdown
from tidegate.models import Outcome
from tidegate.prepare import Site
from tidegate.proc import run
from tidegate.prove.job import deploy, measure
from tidegate.run.reader import RunReader

console = Console(stderr=True)

SHORT = {"warm_s": "15", "cool_s": "15"}
TURN_S = 20.0
"""Within this time of full load a Ready pod is sent a request: Envoy has learnt of it and its turn came."""


def silent(_progress: OperationProgress) -> None:
    """No progress is shown for the quick operations."""


def kubectl(site: Site, *words: str, check: bool = True, text: str | None = None) -> str:
    env = {**os.environ, **site.environment}
    return run(["kubectl", *words], env=env, timeout_s=120, check=check, input=text).stdout


def changed(progress: OperationProgress) -> dict[str, int]:
    return {kind: count for kind, count in progress.changed.items() if kind not in ("same", "read")}


def test_the_service_answers_through_the_gateway(site: Site) -> None:
    answer = httpx.get(f"{site.gateway}/api/v1/products", timeout=30)
    assert answer.status_code == 200
    assert answer.headers["X-Served-By"].startswith("tidegate-web-")


def test_a_second_preview_and_up_change_nothing(site: Site) -> None:
    assert changed(site.stack.preview(silent)) == {}
    assert changed(site.stack.up(silent)) == {}


def test_refresh_finds_the_world_as_the_state_says(site: Site) -> None:
    site.stack.refresh(silent)
    assert changed(site.stack.preview(silent)) == {}


def test_the_cluster_has_two_nodes_and_only_its_own_kubeconfig(site: Site) -> None:
    nodes = json.loads(kubectl(site, "get", "nodes", "-o", "json"))["items"]
    assert len(nodes) >= 2
    assert kubeconfig_path(site.config.cluster.name).stat().st_mode & 0o077 == 0


def probe(site: Site, pod: str, source: str) -> str:
    """Run a line of Python in a service pod; its output, or the error's name."""
    words = ["exec", "-n", "tidegate", pod, "-c", "web", "--", "python3", "-c", source]
    return kubectl(site, *words).strip()


def web_pods(site: Site) -> list[dict[str, Any]]:
    label = "app.kubernetes.io/name=tidegate,app.kubernetes.io/component=web"
    return json.loads(kubectl(site, "get", "pods", "-n", "tidegate", "-l", label, "-o", "json"))["items"]


COMPILED = """
import asyncio, json, os, app.main
print(all(os.path.exists(module.__cached__) for module in (asyncio, json, app.main)))
"""


def test_nothing_is_compiled_when_a_pod_starts(site: Site) -> None:
    """A read-only root cannot keep what is compiled, so every start would pay for it again."""
    assert probe(site, web_pods(site)[0]["metadata"]["name"], COMPILED) == "True"


CONNECT = """
import socket
try:
    socket.create_connection(({host!r}, {port}), 5).close(); print("open")
except OSError as error:
    print("refused" if isinstance(error, ConnectionRefusedError) else "blocked")
"""


def test_network_policy_is_enforced(site: Site) -> None:
    """The same address: open to the service, closed to a pod that no policy names."""
    pod = web_pods(site)[0]["metadata"]["name"]
    service = json.loads(kubectl(site, "get", "service", "redis", "-n", "data", "-o", "json"))
    redis = CONNECT.format(host=service["spec"]["clusterIP"], port=6379)
    assert probe(site, pod, redis) == "open"
    image = web_pods(site)[0]["spec"]["containers"][0]["image"]
    stranger = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stranger", "namespace": "tidegate"},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "web",
                    "image": image,
                    "command": ["python3", "-c", redis],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}, "limits": {"memory": "64Mi"}},
                }
            ],
        },
    }
    kubectl(site, "apply", "-f", "-", text=json.dumps(stranger))
    try:
        phase = "jsonpath={.status.phase}=Succeeded"
        kubectl(site, "wait", "--for", phase, "-n", "tidegate", "pod/stranger", "--timeout=120s")
        assert kubectl(site, "logs", "-n", "tidegate", "stranger").strip() in ("refused", "blocked")
    finally:
        kubectl(site, "delete", "pod", "stranger", "-n", "tidegate", "--ignore-not-found")


def test_pods_see_each_other_by_their_own_address(site: Site) -> None:
    """Envoy and the service run on several nodes; to each service pod Envoy appears as its pod address."""
    words = ["get", "pods", "-n", "envoy-gateway-system", "-l", "app.kubernetes.io/component=proxy"]
    proxies = json.loads(kubectl(site, *words, "-o", "json"))["items"]
    for _ in range(20):
        httpx.get(f"{site.gateway}/api/v1/products", timeout=30)
    seen = set[str]()
    for pod in web_pods(site):
        seen |= set(probe(site, pod["metadata"]["name"], PEERS).split())
    assert seen & {pod["status"]["podIP"] for pod in proxies}


def test_a_pod_that_is_not_restricted_is_refused(site: Site) -> None:
    for namespace in ("tidegate", "data", "observability"):
        words = ["run", "bad", "-n", namespace, "--image=busybox:1", "--privileged", "--dry-run=server"]
        env = {**os.environ, **site.environment}
        answer = run(["kubectl", *words], env=env, timeout_s=60, check=False)
        assert answer.returncode != 0
        assert "violates PodSecurity" in answer.stderr


@pytest.fixture(scope="module")
def spike(site: Site, tmp_path_factory: pytest.TempPathFactory) -> RunReader:
    """A recorded spike, with less before and after it than the default has."""
    runs = Path(os.environ.get("TIDEGATE_E2E_RUNS") or tmp_path_factory.mktemp("runs"))
    folder, _ = measure(site, "spike", SHORT, runs=runs, min_peak=8, tail_s=100, console=console)
    return RunReader(folder)


def test_the_spike_loses_no_request(spike: RunReader) -> None:
    requests = spike.requests()
    assert requests.height >= 1000
    lost = requests.filter(~pl.col("ok"))
    assert lost.height == 0, lost.head(5)


def test_the_spike_brings_eight_ready_pods_on_two_nodes(spike: RunReader) -> None:
    verdict = spike.verdict
    assert verdict is not None
    peak = next(check for check in verdict.checks if "peak" in check.name or "ready" in check.name)
    assert peak.outcome is Outcome.HELD, peak
    nodes = {
        record.object["spec"]["nodeName"]
        for record in spike.cluster()
        if record.kind == "Pod"
        and record.object["spec"].get("nodeName")
        and record.object["metadata"]["name"].startswith("tidegate-web-")
    }
    assert len(nodes) >= 2


def test_the_objectives_can_be_judged(spike: RunReader) -> None:
    verdict = spike.verdict
    assert verdict is not None
    assert verdict.outcome is not Outcome.COULD_NOT_TELL, verdict.reasons


def test_every_scale_event_is_explained_and_its_parts_add_up(spike: RunReader) -> None:
    """Every mark was seen, but for the first request of a pod that came when the crowd was leaving."""
    window = spike.plan.load_window_s
    assert window is not None
    crowd_leaves_s = window[1] - float(SHORT["cool_s"])
    events = breakdown(spike)
    explained = [event for event in events if event.complete]
    assert {event.direction for event in explained} == {"up", "down"}
    for event in events:
        for path in event.paths:
            late = event.direction == "up" and (path.marks_s[-2] or 0.0) > crowd_leaves_s - TURN_S
            assert path.missing in ((), ("first_request",) if late else ()), path
            if path.complete:
                assert sum(path.parts_s.values()) == path.total_s
        assert event.absent == 0


def test_the_report_agrees_with_the_raw_files(spike: RunReader) -> None:
    script = Path(__file__).parents[1] / "recompute.py"
    done = subprocess.run(
        [sys.executable, str(script), str(spike.path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_cluster_deleted_by_hand_is_noticed_and_made_again(site: Site) -> None:
    env = {**os.environ, **site.environment}
    run(["kind", "delete", "cluster", "--name", site.config.cluster.name], env=env, timeout_s=300)
    site.stack.refresh(silent)
    assert changed(site.stack.preview(silent)).get("create", 0) > 0
    deploy(site, console)
    assert httpx.get(f"{site.gateway}/api/v1/products", timeout=60).status_code == 200


def test_destroy_leaves_no_trace(site: Site, before: Footprint) -> None:
    for line in take_down(site.name, stop=False, purge=False, console=console):
        console.print(line)
    assert difference(before, footprint(site.engine.env())) == {}
