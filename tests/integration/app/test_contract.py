"""What the OpenAPI document says and what the service does are the same thing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from support.login import bearer
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
)


def test_schemathesis_finds_no_server_error_and_nothing_undocumented(
    migrated_url: str, redis_server: RedisServer, start_service: StartService, tmp_path: Path
) -> None:
    """Examples, coverage, fuzzing and stateful sequences, on a real PostgreSQL and a real Redis."""
    # Budgets apart: what is looked at is every other answer.
    limits = {"LIMIT_READS": "1000000/hour", "LIMIT_WRITES": "1000000/hour", "LIMIT_LOGINS": "1000000/hour"}
    settings = {"DATABASE_URL": migrated_url, "REDIS_URL": redis_server.url, **limits}
    start_service("app.worker", **settings)
    process = start_service("app", **settings)
    with process.wait_ready() as web:
        # A real order to be found, so that not every path ends in 404.
        placed = web.post(
            "/api/v2/orders", json={"lines": [{"product_id": 1, "quantity": 1}]}, headers=bearer(1)
        )
        assert placed.status_code == 202
        done = _schemathesis(web, tmp_path, "--include-path-regex", "^/api/")
        assert done.returncode == 0, done.stdout[-8000:]
        assert web.get("/readyz").status_code == 200
    assert not [line for line in process.lines if line.get("event") == "request_failed"]


def _schemathesis(web: httpx.Client, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", str(web.base_url.join("/openapi.json")), "--no-color"]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--checks", ",".join(CHECKS)]
    # The same cases in every run; streams of events end by themselves, later than a test wants to wait.
    command += ["--seed", "1", "--generation-deterministic", "--max-examples", "20"]
    command += ["--exclude-path-regex", "/streams/"]
    command += ["--header", f"Authorization: {bearer(1)['Authorization']}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=500)
