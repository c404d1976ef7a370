"""Measure the service from inside its pods, before, during and after a fault, into the Run's metrics."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tidegate.chaos.cluster import Cluster
from tidegate.errors import TidegateError
from tidegate.run import MetricRow, RunWriter, labels_text, metric_writer
from tidegate.run.format import WEB_COMPONENT
from tidegate.run.objects import text

PERIOD_S = 3.0
MOST_PODS = 6
"""Pods asked at once: each answer costs a short-lived process in the pod."""
DATA_POD = "DataPod"
"""Kind under which the databases' pods stand in the cluster's record, apart from the service's own."""
_EXEC_TIMEOUT_S = 8.0
_SCRIPT = Path(__file__).with_name("inside.py")

Exec = Callable[[str], str]
"""Runs the probe in a pod and returns what it printed.

Raises:
    OSError, subprocess.SubprocessError: it could not be run.
"""


def kubectl_exec(environment: Mapping[str, str], context: Sequence[str] = ()) -> Exec:
    """Return a way into pods by kubectl."""
    script = _SCRIPT.read_text(encoding="utf-8")

    def run(pod: str) -> str:
        words = ["kubectl", *context, "exec", "-i", "-n", "tidegate", pod, "-c", WEB_COMPONENT, "--"]
        done = subprocess.run(
            [*words, "python", "-I", "-S", "-"],
            input=script,
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=_EXEC_TIMEOUT_S,
            check=True,
        )
        return done.stdout

    return run


def rows(pod: str, printed: str, t_s: float) -> list[MetricRow]:
    """Return what a probe printed as samples.

    Raises:
        ValueError: it is not what the probe prints.
    """
    return [
        MetricRow(
            t_s,
            t_s,
            str(name),
            labels_text({"pod": pod, "to": to} if to else {"pod": pod}),
            float(value),
            None,
        )
        for name, to, value in json.loads(printed)
    ]


class Sampler:
    """Probes the web pods, and watches the databases' pods, from a thread of its own.

    Args:
        cluster: the API.
        folder: of the Run.
        run_probe: the way into a pod.
    """

    def __init__(self, cluster: Cluster, folder: Path, run_probe: Exec) -> None:
        self._cluster = cluster
        self._folder = folder
        self._run_probe = run_probe
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="sampler", daemon=True)
        self._wanted: frozenset[str] = frozenset()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def prefer(self, pods: Sequence[str]) -> None:
        """Ask these pods first: they were chosen."""
        self._wanted = frozenset(pods)

    def stop(self) -> None:
        """End, and write what there is."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        seen: dict[str, str] = {}
        with (
            metric_writer(self._folder, "probe", max_age_s=5.0) as samples,
            RunWriter(self._folder) as notes,
            ThreadPoolExecutor(MOST_PODS) as pool,
        ):
            while not self._stop.is_set():
                began_s = time.monotonic()
                try:
                    names = self._pods()
                    self._databases(seen, notes)
                except TidegateError as error:
                    notes.note("warning", f"probe: {error}")
                    names = []
                for pod, found in zip(names, pool.map(self._probe, names), strict=True):
                    now_s = time.time()
                    samples.append(
                        MetricRow(
                            now_s, now_s, "probe_ran", labels_text({"pod": pod}), float(bool(found)), None
                        )
                    )
                    for row in found:
                        samples.append(row)
                samples.flush()
                self._stop.wait(max(0.2, PERIOD_S - (time.monotonic() - began_s)))

    def _pods(self) -> list[str]:
        pods = self._cluster.pods(selector=f"app.kubernetes.io/component={WEB_COMPONENT}")
        running = [text(pod, "metadata", "name") for pod in pods if text(pod, "status", "phase") == "Running"]
        return sorted(running, key=lambda name: (name not in self._wanted, name))[:MOST_PODS]

    def _databases(self, seen: dict[str, str], run: RunWriter) -> None:
        for pod in self._cluster.pods("data"):
            name, version = text(pod, "metadata", "name"), text(pod, "metadata", "resourceVersion")
            if seen.get(name) != version:
                seen[name] = version
                run.cluster("MODIFIED", DATA_POD, _kept(pod))

    def _probe(self, pod: str) -> list[MetricRow]:
        began_s = time.time()
        try:
            return rows(pod, self._run_probe(pod), (began_s + time.time()) / 2)
        except (OSError, subprocess.SubprocessError, ValueError):
            return []  # a pod that was just hit answers nobody; `probe_ran` says so


def _kept(pod: Mapping[str, Any]) -> dict[str, Any]:
    metadata = {key: pod["metadata"].get(key) for key in ("name", "namespace", "uid", "labels")}
    return {"metadata": metadata, "status": pod.get("status", {})}
