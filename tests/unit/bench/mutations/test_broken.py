"""The flawed service: it shows its flaw, its own metrics count it, and everywhere else it is the service."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[4]
PROGRAM = ROOT / "bench" / "mutations" / "broken.py"


def environment(**settings: str) -> dict[str, str]:
    """The image's own: the program's folder is not on the path, the service's is."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("TIDEGATE_", "PYTHON"))}
    return own | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"} | settings


@contextmanager
def serving(flaw: str, folder: Path) -> Generator[httpx.Client]:
    """Run the program as the pod does, on a free port."""
    words = [sys.executable, str(PROGRAM), flaw]
    settings = environment(TIDEGATE_PORT="0")
    with subprocess.Popen(words, env=settings, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            told = (json.loads(line) for line in process.stdout)
            port = next(line["port"] for line in told if line.get("event") == "serving")
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                yield client
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
            assert process.wait(60) == 0
        finally:
            process.kill()


def test_a_warming_process_lives_and_serves_nothing(tmp_path: Path) -> None:
    with serving("warming", tmp_path) as client:
        assert client.get("/healthz").status_code == 200
        answers = [client.get(path) for path in ("/readyz", "/api/v1/products", "/api/v2/products")]
        assert [answer.status_code for answer in answers] == [500, 500, 500]
        assert all(answer.headers["x-served-by"] for answer in answers)


ASK = """
import asyncio, json, sys
sys.argv = ["broken.py", sys.argv[1]]
import bench.mutations.broken as broken
import httpx
from app.core.settings import load_settings
from app.resources import Resources

broken.random.random = lambda: 0.05
broken.WARM_S = 0.0
resources = Resources.create(load_settings("web"), application="test")
app = broken.create_flawed_app(resources)

async def ask():
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        found = {}
        for method, path in (("GET", "/api/v1/products"), ("POST", "/api/v1/orders"), ("GET", "/healthz")):
            found[f"{method} {path}"] = (await client.request(method, path)).status_code
        found["metrics"] = (await client.get("/metrics")).text
    await resources.close()
    return found

print(json.dumps(asyncio.run(ask())))
"""


def asked(flaw: str, folder: Path, **settings: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", ASK, flaw],
        env=environment(**settings),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_a_flaky_service_counts_its_own_errors(tmp_path: Path) -> None:
    found = asked("flaky", tmp_path)
    assert [found[each] for each in ("GET /api/v1/products", "POST /api/v1/orders")] == [503, 503]
    assert found["GET /healthz"] == 200
    (line,) = [
        each
        for each in found["metrics"].splitlines()
        if "http_requests_total" in each and "503" in each and "GET" in each
    ]
    assert line.endswith(" 1.0")


def test_reads_that_need_redis_fail_without_it_and_nothing_else_does(tmp_path: Path) -> None:
    found = asked("needs-redis", tmp_path, TIDEGATE_REDIS_URL="redis://127.0.0.1:1")
    assert found["GET /api/v1/products"] == 500
    assert found["POST /api/v1/orders"] == 401
    assert found["GET /healthz"] == 200


def test_once_warm_it_is_the_service(tmp_path: Path) -> None:
    found = asked("warming", tmp_path)
    assert found["POST /api/v1/orders"] == 401


@pytest.mark.parametrize("words", [[], ["none"], ["flaky", "warming"]])
def test_a_flaw_that_there_is_not_is_refused(tmp_path: Path, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *words],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "name one flaw of warming, flaky, needs-redis" in done.stderr
