"""`tidegate dev`: the whole service in one process, on a file, without Redis."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support.children import free_port, stop, wait_until

from tidegate.dev import dev
from tidegate.errors import TidegateError

pytestmark = pytest.mark.integration

_RUN = """
import sys
from pathlib import Path
from tidegate.dev import dev
sys.exit(dev({port}, Path({folder!r})))
"""


def _get(client: httpx.Client, path: str) -> httpx.Response | None:
    try:
        return client.get(path)
    except httpx.TransportError:
        return None


def _ready(client: httpx.Client) -> bool:
    answer = _get(client, "/readyz")
    return answer is not None and answer.status_code == 200


def _decided(client: httpx.Client, location: str) -> bool:
    return client.get(location).json()["status"] != "pending"


def test_orders_of_both_versions_are_decided_and_kept(tmp_path: Path) -> None:
    body = {"account_id": "acct-0005", "lines": [{"product_id": 5, "quantity": 1}]}
    kept: dict[str, object] = {}
    for round_number in (1, 2):
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN.format(port=port, folder=str(tmp_path / "data"))],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
                wait_until(lambda: _ready(client), what="readiness")
                password = (tmp_path / "data" / "demo-password").read_text()
                form = {"grant_type": "password", "username": "acct-0005", "password": password}
                token = client.post("/api/v2/auth/token", data=form).json()["access_token"]
                client.headers["Authorization"] = f"Bearer {token}"
                for path, order in kept.items():
                    assert client.get(path).json() == order
                if round_number == 1:
                    assert client.post("/api/v1/orders", json=body).status_code == 201
                    location = client.post("/api/v2/orders", json=body).headers["Location"]
                    wait_until(lambda: _decided(client, location), what="the decision")  # noqa: B023
                    kept[location] = client.get(location).json()
                    assert "tidegate_queue_depth" in client.get("/metrics").text
        finally:
            status = stop(process, signal.SIGINT, within_s=20)
            assert process.stdout is not None
            printed = process.stdout.read()
            process.stdout.close()
        assert status == 130
        assert printed == b"", "logs belong on standard error"


def test_a_taken_port_is_one_error_with_a_cure(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        script = _RUN.format(port=other.getsockname()[1], folder=str(tmp_path / "data"))
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "tidegate.errors.TidegateError: cannot listen on 127.0.0.1:"
    )
    assert "Cure: choose another --port" in done.stderr.splitlines()[-1]


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TidegateError, match="Cure: choose another folder"):
        dev(0, tmp_path / "file" / "data")
