"""The agent of a generator's pod, with something in Locust's place that does as it is told."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import pytest

from tidegate.host.paths import project_root
from tidegate.load.handover import PARENT_VARIABLE, RUN_VARIABLE
from tidegate.load.pods.agent import DIGEST_HEADER, EXIT_ALONE, PIECE_BYTES

STAND_IN = f"""
import os, signal, sys, time
run = os.environ["{RUN_VARIABLE}"]
print("began with", *sys.argv[1:], "below", os.environ["{PARENT_VARIABLE}"] == str(os.getppid()), flush=True)
def ended(number, _):
    print("ended by", number, flush=True)
    sys.exit(5)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, ended)
def whole(name, content):
    with open(run + "/unnamed", "wb") as file:
        file.write(content)
    os.rename(run + "/unnamed", run + "/" + name)
whole("requests/a-000000.parquet", b"first")
whole("orders.jsonl", b'{{"a":1}}')
if "--big" in sys.argv:
    whole("metrics/b-000000.parquet", b"x" * ({PIECE_BYTES} + 10))
while "--ends" not in sys.argv:
    time.sleep(0.02)
"""


class Pod:
    """An agent on 127.0.0.1."""

    def __init__(self, folder: Path, *words: str, patience_s: float = 60) -> None:
        (folder / "locust").mkdir()
        (folder / "locust" / "__init__.py").touch()
        (folder / "locust" / "__main__.py").write_text(STAND_IN)
        (folder / "record").mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        environment = {
            **os.environ,
            "PYTHONPATH": f"{folder}{os.pathsep}{project_root()}",
            RUN_VARIABLE: str(folder / "record"),
        }
        self.folder = folder
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tidegate.load.pods.agent", "--bind", "127.0.0.1"),
                *("--port", str(port), "--patience-s", str(patience_s), "--", "-f", "x.py", *words),
            ],
            env=environment,
            cwd=folder,
        )
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)

    def get(self, target: str, **query: str | int) -> httpx.Response:
        """Ask until it listens."""
        while True:
            try:
                return self.client.get(target, params=query)
            except httpx.ConnectError:
                assert self.process.poll() is None
                time.sleep(0.02)

    def until(self, name: str) -> None:
        """Wait until the stand-in has written a file."""
        path = self.folder / "record" / name
        while not (path.exists() and path.stat().st_size):
            self.get("/clock")
            time.sleep(0.02)

    def close(self) -> None:
        self.client.close()
        if self.process.poll() is None:
            self.process.terminate()  # a kill would leave behind what it started
        self.process.wait()


@pytest.fixture
def pods() -> Generator[list[Pod]]:
    made: list[Pod] = []
    yield made
    for pod in made:
        pod.close()


def test_it_tells_of_segments_once_and_in_order_and_gives_them_with_their_digest(
    pods: list[Pod], tmp_path: Path
) -> None:
    pod = Pod(tmp_path, "--worker")
    pods.append(pod)
    pod.until("orders.jsonl")
    state = pod.get("/state").json()
    assert state["segments"] == [["requests/a-000000.parquet", 5]]
    assert state["growing"]["orders.jsonl"] == len('{"a":1}')
    assert state["said"] == "began with -f x.py --worker below True"
    assert state["exit_status"] is None
    (tmp_path / "record/metrics/a-000000.parquet").write_bytes(b"second")
    (tmp_path / "record/requests/.a-000001.parquet.tmp").write_bytes(b"half")
    assert pod.get("/state", **{"from": 1}).json()["segments"] == [["metrics/a-000000.parquet", 6]]
    answer = pod.get("/file", path="metrics/a-000000.parquet", **{"from": 2})
    assert answer.content == b"cond"
    assert answer.headers[DIGEST_HEADER] == hashlib.sha256(b"cond").hexdigest()
    assert abs(pod.get("/clock").json()["time_s"] - time.time()) < 60


def test_what_is_no_file_of_the_record_is_not_given(pods: list[Pod], tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    pods.append(pod)
    (tmp_path / "secret").write_text("no")
    pod.until("requests/a-000000.parquet")
    for path in ("../secret", "/etc/passwd", "requests/../../secret", "requests", "", "recorder.jsonl"):
        assert pod.get("/file", path=path).status_code == 404
    assert pod.get("/file", path="orders.jsonl", **{"from": "-1"}).status_code == 400
    assert pod.get("/other").status_code == 404
    assert pod.client.post("/other").status_code == 404


def test_a_large_file_comes_in_pieces(pods: list[Pod], tmp_path: Path) -> None:
    pod = Pod(tmp_path, "--big")
    pods.append(pod)
    while "metrics/b-000000.parquet" not in dict(pod.get("/state").json()["segments"]):
        time.sleep(0.02)
    assert len(pod.get("/file", path="metrics/b-000000.parquet").content) == PIECE_BYTES
    rest = pod.get("/file", path="metrics/b-000000.parquet", **{"from": PIECE_BYTES}).content
    assert rest.strip(b"x") == b""


def test_stop_is_ctrl_c_and_the_record_stays_until_it_is_released(pods: list[Pod], tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    pods.append(pod)
    pod.until("orders.jsonl")
    assert pod.client.post("/stop").status_code == 200
    while (state := pod.get("/state").json())["exit_status"] is None:
        time.sleep(0.02)
    assert (state["exit_status"], state["said"]) == (5, f"ended by {int(signal.SIGINT)}")
    assert pod.get("/file", path="orders.jsonl").content == b'{"a":1}'
    assert pod.process.poll() is None
    assert pod.client.post("/release").status_code == 200
    assert pod.process.wait() == 5


def test_an_agent_that_nobody_asks_ends_the_load(pods: list[Pod], tmp_path: Path) -> None:
    pod = Pod(tmp_path, patience_s=3)
    pods.append(pod)
    pod.until("orders.jsonl")
    assert pod.process.wait() == EXIT_ALONE
    assert f"ended by {int(signal.SIGTERM)}" in (tmp_path / "record/locust.log").read_text()


def test_a_pod_that_is_deleted_lets_locust_write_what_it_has(pods: list[Pod], tmp_path: Path) -> None:
    pod = Pod(tmp_path)
    pods.append(pod)
    pod.until("orders.jsonl")
    pod.process.terminate()
    assert pod.process.wait() == 128 + signal.SIGTERM
    assert f"ended by {int(signal.SIGTERM)}" in (tmp_path / "record/locust.log").read_text()


def test_without_a_folder_it_says_so_in_one_line(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != RUN_VARIABLE}
    words = ["--bind", "127.0.0.1", "--port", "0", "--patience-s", "1", "--", "-f", "x.py"]
    done = subprocess.run(
        [sys.executable, "-m", "tidegate.load.pods.agent", *words],
        env={**environment, "PYTHONPATH": str(project_root())},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        3,
        f"error: no folder to record into. Cure: set {RUN_VARIABLE}\n",
    )
