"""The observer as a process: it sees before work begins, is missed when it dies, and goes with its parent."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from support.api_server import ApiServer, serving, write_kubeconfig

from tidegate.errors import TidegateError
from tidegate.observe.drive import Observer
from tidegate.run import read_jsonl

CORE, APPS = "/api/v1/namespaces/tidegate", "/apis/apps/v1/namespaces/tidegate"
HPAS = "/apis/autoscaling/v2/namespaces/tidegate/horizontalpodautoscalers"
PATHS = {
    "Pod": f"{CORE}/pods",
    "Node": "/api/v1/nodes",
    "Deployment": f"{APPS}/deployments",
    "ReplicaSet": f"{APPS}/replicasets",
    "HorizontalPodAutoscaler": HPAS,
    "Event": f"{CORE}/events",
}
METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/tidegate/pods"


def cluster(folder: Path) -> list[dict[str, Any]]:
    return [record for _, record in read_jsonl(folder / "cluster.jsonl")]


def notes(folder: Path) -> list[str]:
    return [str(note["what"]) for _, note in read_jsonl(folder / "recorder.jsonl")]


def until(holds: Callable[[], bool]) -> None:
    """Wait; the test's own time limit ends what never comes."""
    while not holds():
        time.sleep(0.02)


def filled() -> ApiServer:
    server = ApiServer()
    for kind, path in PATHS.items():
        server.put(path, f"a-{kind.lower()}")
    server.put(PATHS["Pod"], "web-1", spec={"nodeName": "n1", "containers": []})
    usage = {"name": "web", "usage": {"cpu": "100m", "memory": "1Mi"}}
    pod = {"metadata": {"name": "web-1"}, "window": "15s", "containers": [usage]}
    server.answers[METRICS] = {"items": [pod | {"timestamp": "2026-01-01T00:00:00Z"}]}
    return server


def test_every_kind_is_listed_before_the_work_begins_and_nothing_is_lost_at_the_end(tmp_path: Path) -> None:
    server = filled()
    with serving(server) as loop:
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", server.url)
        with Observer(kubeconfig, tmp_path) as observer:
            assert {record["kind"] for record in cluster(tmp_path)} == set(PATHS)
            assert server.headers["authorization"] == "Bearer secret"
            until(lambda: all(server.open_streams(path) for path in PATHS.values()))
            until(lambda: METRICS in server.asked)
            loop.call_soon_threadsafe(lambda: server.put(PATHS["Pod"], "web-2"))
            until(lambda: cluster(tmp_path)[-1]["object"]["metadata"]["name"] == "web-2")
            observer.check()
    samples = pl.concat(pl.read_parquet(path) for path in (tmp_path / "metrics").glob("*"))
    cpu = samples.filter(pl.col("name") == "pod_cpu_cores")
    assert cpu["value"].to_list() == [0.1]
    assert '"node":"n1"' in cpu["labels"][0]
    assert notes(tmp_path)[-1] == "observer: ended"
    assert any(note.startswith("Prometheus: no answer: HTTP 404") for note in notes(tmp_path))


def test_a_killed_observer_is_missed_and_its_record_stays_readable(tmp_path: Path) -> None:
    server = filled()
    with serving(server):
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", server.url)
        with Observer(kubeconfig, tmp_path, prometheus="") as observer:
            before = len(cluster(tmp_path))
            assert observer.pid is not None
            os.kill(observer.pid, signal.SIGKILL)
            os.waitid(os.P_PID, observer.pid, os.WEXITED | os.WNOWAIT)
            with pytest.raises(TidegateError, match="exit code -9"):
                observer.check()
    assert len(cluster(tmp_path)) >= before == 7
    assert [note for note in notes(tmp_path) if "ended by itself" in note] == [
        "observer: ended by itself with exit code -9; it saw nothing since"
    ]


def test_it_says_why_it_cannot_begin(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="there is no kubeconfig") as caught:
        Observer(tmp_path / "none", tmp_path).start()
    assert str(tmp_path / "none") in str(caught.value)
    server = ApiServer(unavailable=True)
    with serving(server):
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", server.url)
        observer = Observer(kubeconfig, tmp_path, prometheus="", sync_timeout_s=1)
        with pytest.raises(TidegateError, match=r"not seen within 1 s: watch of Pod: .*HTTP 503"):
            observer.start()
        assert observer.pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(observer.pid, 0)


def test_it_does_not_outlive_its_parent(tmp_path: Path) -> None:
    server = filled()
    with serving(server):
        kubeconfig = write_kubeconfig(tmp_path / "kubeconfig", server.url)
        program = (
            "import os, sys; from pathlib import Path; from tidegate.observe.drive import Observer\n"
            "observer = Observer(Path(sys.argv[1]), Path(sys.argv[2]), prometheus='')\n"
            "observer.start(); print(observer.pid, flush=True); os._exit(0)"
        )
        command = [sys.executable, "-c", program, kubeconfig, tmp_path]
        pid = int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

        def ended() -> bool:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 0)
                return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
            return True

        until(ended)
    assert notes(tmp_path)[-1] == "observer: ended"
