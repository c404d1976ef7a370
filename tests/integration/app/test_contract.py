"""What the OpenAPI document says and what the service does are the same thing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from support.dose import Dose
from support.login import bearer
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

pytestmark = [pytest.mark.integration, pytest.mark.acceptance, pytest.mark.timeout(5400)]

StartService = Callable[..., ServiceProcess]

PHASES = "examples,coverage,fuzzing,stateful"
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
    migrated_url: str,
    redis_server: RedisServer,
    start_service: StartService,
    tmp_path: Path,
    dose: Dose,
    record: Callable[..., None],
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
        done = _schemathesis(web, tmp_path, dose.contract_examples, "--include-path-regex", "^/api/")
        statuses = _counts(web.get("/metrics").text)
        failed = [line for line in process.lines if line.get("event") == "request_failed"]
        record(
            phases=PHASES.split(","),
            checks=list(CHECKS),
            most_examples=dose.contract_examples,
            summary=_summary(done.stdout),
            statuses=statuses,
            server_errors=sum(number for status, number in statuses.items() if status.startswith("5")),
        )
        assert done.returncode == 0, done.stdout[-8000:]
        assert not failed
        assert web.get("/readyz").status_code == 200


def _schemathesis(
    web: httpx.Client, folder: Path, examples: int, *words: str
) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("schemathesis")
    command = [str(program), "run", str(web.base_url.join("/openapi.json")), "--no-color"]
    command += ["--phases", PHASES, "--checks", ",".join(CHECKS), "--seed", "1"]
    # The same cases in every run. A stream of events ends with the worker's decision.
    command += ["--generation-deterministic", "--max-examples", str(examples), "--request-timeout", "120"]
    command += ["--header", f"Authorization: {bearer(1)['Authorization']}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder, timeout=5000)


def _summary(output: str) -> list[str]:
    """The tool's own account of what it did."""
    _, _, summary = output.rpartition("SUMMARY")
    return [line.strip() for line in summary.splitlines() if re.search(r"[0-9a-z]", line)]


def _counts(exposition: str) -> dict[str, int]:
    """Answers below /api by status, as the service itself counted them."""
    found: dict[str, int] = {}
    for line in exposition.splitlines():
        match = re.match(r'http_requests_total\{.*status="(\d+)"\} ([0-9.]+)', line)
        if match:
            found[match[1]] = found.get(match[1], 0) + int(float(match[2]))
    return dict(sorted(found.items()))
