"""The command lines of the Jobs, run as processes of this machine: a real master, and two real workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import polars as pl
import psutil
import pytest
from support.load_cluster import LoadCluster, ScriptedPod
from support.shop import Shop
from support.tiny import tiny_server

from tidegate.host.paths import project_root
from tidegate.load.drive import EXIT_INTERRUPTED, LoadResult
from tidegate.load.pods.api import LoadApi
from tidegate.load.pods.conduct import Place, run_in_cluster
from tidegate.load.pods.names import AGENT_PORT, RECORD_FOLDER, WORKER
from tidegate.load.shares import USERS_A_PROCESS
from tidegate.models.load import LoadConfig
from tidegate.observe.kubeconfig import ApiAccess
from tidegate.run import read_jsonl

ROOT = project_root()
GET = ROOT / "bench" / "loadtests"
WORKERS = 2


class Machine(LoadCluster):
    """A cluster whose pods are processes here, each at a loopback address of its own."""

    def __init__(self, folder: Path, target: str) -> None:
        super().__init__(self.start)
        self.on_turn = self.look
        self.folder = folder
        host, _, port = urlsplit(target).netloc.partition(":")
        self.gateway = (host, int(port))
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.client = httpx.Client(trust_env=False, timeout=5)

    def start(self, pod: ScriptedPod) -> None:
        """Do what a kubelet does: fill in addresses and secrets, mount, and start."""
        (container,) = pod.manifest["spec"]["template"]["spec"]["containers"]
        number, own = len(self.processes) + 1, os.getpid()
        pod.address = f"127.{10 + own % 200}.{own // 200 % 250}.{number}"
        pod.phase = "Running"
        pod.forward = lambda request, path: self.forward(pod, request, path)
        record = self.folder / pod.name
        record.mkdir(parents=True)
        given = {each["name"]: self.value(pod, each) for each in container["env"]}
        words = [
            sys.executable if word == "python3" else word.replace("$(POD_IP)", pod.address)
            for word in (*container["command"], *container["args"])
        ]
        mounted = {name: value.replace(RECORD_FOLDER, str(record)) for name, value in given.items()}
        self.processes[pod.name] = subprocess.Popen(
            words,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(record), **mounted},
            cwd=record,
            stdin=subprocess.DEVNULL,
        )

    def value(self, pod: ScriptedPod, variable: dict[str, Any]) -> str:
        if "value" in variable:
            return variable["value"]
        reference = variable["valueFrom"]
        if "fieldRef" in reference:
            assert reference["fieldRef"]["fieldPath"] == "status.podIP"
            return pod.address
        key = reference["secretKeyRef"]
        return self.secrets[key["name"]]["stringData"][key["key"]]

    def forward(self, pod: ScriptedPod, request: httpx.Request, path: str) -> httpx.Response:
        url = f"http://{pod.address}:{AGENT_PORT}{path}"
        try:
            answer = self.client.request(request.method, url, params=request.url.params)
        except httpx.HTTPError:
            return httpx.Response(503)
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)

    def look(self) -> None:
        """Tell which pods have ended."""
        for pod in self.pods.values():
            status = self.processes[pod.name].poll()
            if status is not None:
                pod.phase = "Failed" if status else "Succeeded"

    def removed(self, pod: ScriptedPod) -> None:
        process = self.processes[pod.name]
        process.terminate()
        process.wait()

    def lose(self, pod: ScriptedPod) -> None:
        """Lose a pod as with its node: all of it at once, without a word."""
        process = psutil.Process(self.processes[pod.name].pid)
        for each in [process, *process.children(recursive=True)]:
            each.send_signal(signal.SIGKILL)

    def close(self) -> None:
        self.client.close()
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
            process.wait()


@pytest.fixture
def machines() -> Generator[list[Machine]]:
    made: list[Machine] = []
    yield made
    for each in made:
        each.close()


def load(machine: Machine, run_dir: Path, scenario: str, folder: Path, **parameters: str) -> LoadResult:
    run_dir.mkdir()
    api = LoadApi(ApiAccess("http://127.0.0.1:1", verify=False, headers={}), machine)
    place = Place(api, LoadConfig(in_cluster=True), "tidegate/load:1", WORKERS)
    return run_in_cluster(
        scenario,
        place,
        run_dir=run_dir,
        parameters=parameters,
        progress=None,
        password="a password that the shop takes",
        folder=folder,
        pods_folder=str(folder),
    )


def rows(folder: Path) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(path) for path in sorted((folder / "requests").glob("*.parquet")))


def metrics(folder: Path, name: str) -> pl.DataFrame:
    found = pl.concat(pl.read_parquet(path) for path in (folder / "metrics").glob("*.parquet"))
    return found.filter(pl.col("name") == name)


def errors(folder: Path) -> list[str]:
    lines = (line for _, line in read_jsonl(folder / "recorder.jsonl"))
    return [str(line["what"]) for line in lines if line["level"] == "error"]


def test_the_arrivals_of_both_workers_are_one_load_and_one_record(
    machines: list[Machine], tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    with tiny_server() as server:
        machines.append(Machine(tmp_path / "pods", server.url))
        result = load(
            machines[0], run_dir, "get", GET, rate_rps="60", get_s="5", arrivals="constant", loop="open"
        )
        told = server.end()
    recorded = rows(run_dir)
    assert told["count"] == recorded.height == result.requests
    assert recorded["request_id"].n_unique() == recorded.height
    unsent = metrics(run_dir, "generator_unsent_total").group_by("labels").agg(pl.col("value").max())
    # On a machine too busy to start them all they are counted, and not forgotten.
    assert recorded.height + int(unsent["value"].sum()) == 300
    assert errors(run_dir) == []
    # Every other arrival is one worker's, and each watched itself.
    writers = {path.name.rsplit("-", 1)[0] for path in (run_dir / "requests").glob("*.parquet")}
    assert len(writers) == metrics(run_dir, "generator_lag_s")["labels"].n_unique() == WORKERS
    for writer in writers:
        own = [pl.read_parquet(path) for path in (run_dir / "requests").glob(f"{writer}-*.parquet")]
        steps = pl.concat(own)["intended_start_s"].sort().diff().drop_nulls() * 30
        assert [step for step in steps if abs(step - round(step)) > 1e-3] == []
    # One machine has one clock.
    offsets, within = (
        metrics(run_dir, name)["value"] for name in ("generator_clock_s", "generator_clock_within_s")
    )
    assert offsets.len() > WORKERS
    assert all(abs(offset) <= bound + 0.01 for offset, bound in zip(offsets, within, strict=True))
    assert "Shutting down (exit code 0)" in (run_dir / "locust.log").read_text()
    assert machines[0].jobs == {}


def test_orders_and_users_of_both_workers_are_kept_apart_and_none_is_lost(
    machines: list[Machine], shop: Shop, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    machines.append(Machine(tmp_path / "pods", shop.url))
    result = load(
        machines[0],
        run_dir,
        "steady",
        ROOT / "loadtests",
        steady_users="4",
        steady_s="6",
        rps="4",
        loop="closed",
    )
    recorded = rows(run_dir)
    assert result.requests == recorded.height == len(shop.book)
    assert {number // USERS_A_PROCESS for number in recorded["user"]} == {0, 1}
    orders = recorded.filter(pl.col("route").is_in(["POST /api/v1/orders", "POST /api/v2/orders"]))
    attempts = [line["order"] for _, line in read_jsonl(run_dir / "orders.jsonl")]
    # Attempts that the load's end overtook are in the ledger, too, without an order.
    assert attempts.count("x") == orders["ok"].sum() > 0
    assert len(attempts) >= orders.height


def test_the_share_of_a_lost_worker_moves_and_the_run_says_so(
    machines: list[Machine], tmp_path: Path
) -> None:
    run_dir, rate_rps = tmp_path / "run", 40
    with tiny_server() as server:
        machine = Machine(tmp_path / "pods", server.url)
        machines.append(machine)

        def look() -> None:
            machine.look()
            begun = {path.name.rsplit("-", 1)[0] for path in run_dir.glob("requests/*.parquet")}
            if len(begun) == WORKERS and not lost:
                lost.append(machine.of(WORKER)[0])
                machine.lose(lost[0])

        lost: list[ScriptedPod] = []
        machine.on_turn = look
        load(
            machine,
            run_dir,
            "get",
            GET,
            rate_rps=str(rate_rps),
            get_s="25",
            arrivals="constant",
            loop="open",
        )
    recorded = rows(run_dir)
    ended_s = recorded["intended_start_s"].max()
    assert isinstance(ended_s, float)
    # At the end the whole rate is offered again, by the worker that is left.
    assert recorded.filter(pl.col("intended_start_s") > ended_s - 3).height >= 0.9 * 3 * rate_rps
    said = errors(run_dir)
    assert any(f"generating pod {lost[0].name} was lost" in what for what in said)
    assert any("1 of 2 generating processes ended early" in what for what in said)


def test_ctrl_c_ends_every_worker_and_keeps_what_was_sent(machines: list[Machine], tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    with tiny_server() as server:
        machine = Machine(tmp_path / "pods", server.url)
        machines.append(machine)

        def look() -> None:
            machine.look()
            if not pressed and len(list(run_dir.glob("requests/*.parquet"))) >= WORKERS:
                pressed.append(True)
                raise KeyboardInterrupt

        pressed: list[bool] = []
        machine.on_turn = look
        result = load(machine, run_dir, "get", GET, rate_rps="30", get_s="300", loop="open")
        told = server.end()
    assert result.exit_status == EXIT_INTERRUPTED
    assert told["count"] == rows(run_dir).height == result.requests > 0
    assert (machine.jobs, machine.secrets, machine.pods) == ({}, {}, {})
