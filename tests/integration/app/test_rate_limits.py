"""One budget over several processes, and what is left of it when Redis dies."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from contextlib import ExitStack

import httpx
import pytest
from support.login import bearer
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]
ORDER = {"lines": [{"product_id": 1, "quantity": 1}]}


def _storm(pods: list[httpx.Client], requests: int) -> list[httpx.Response]:
    def send(number: int) -> httpx.Response:
        return pods[number % len(pods)].post("/api/v2/orders", json=ORDER, headers=bearer(1))

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        return list(threads.map(send, range(requests)))


def test_four_processes_grant_one_budget_and_their_shares_without_redis(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = {"DATABASE_URL": migrated_url, "REDIS_URL": redis_server.url, "DB_POOL_SIZE": "2"}
    # A slow machine is not an absent Redis; a killed one refuses connections, whatever the patience.
    settings["REDIS_TIMEOUT_S"] = "60"
    # An hour is longer than any run of this test: no budget comes back while it lasts.
    limits = {"LIMIT_WRITES": "60/hour", "LIMIT_SHARE": "4", "LIMIT_OPERATORS": "1000/hour"}
    limits["OPERATOR_TOKEN"] = "an-operators-token-for-tests-only"
    with ExitStack() as stack:
        processes = [start_service("app", **settings, **limits) for _ in range(4)]
        pods = [stack.enter_context(process.wait_ready()) for process in processes]
        answers = _storm(pods, 200)
        statuses = [answer.status_code for answer in answers]
        assert (statuses.count(202), statuses.count(429)) == (60, 140)
        for answer in answers:
            assert answer.headers["RateLimit-Policy"] == '"writes";q=60;w=3600'
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert int(refused.headers["Retry-After"]) > 0

        redis_server.kill()
        statuses = [answer.status_code for answer in _storm(pods, 200)]
        assert set(statuses) == {202, 429}
        # Each of the four grants a quarter, once more: what had been spent was known to Redis alone.
        assert statuses.count(202) == 60
        reads = [
            pod.get("/api/v2/products", headers=bearer(1)).status_code for pod in pods for _ in range(20)
        ]
        assert set(reads) == {200}
        operators = {"Authorization": f"Bearer {limits['OPERATOR_TOKEN']}"}
        closed = pods[0].patch("/api/v2/products/1", json={"price_cents": 1}, headers=operators)
        assert (closed.status_code, closed.headers["Retry-After"]) == (503, "5")

        redis_server.start()
