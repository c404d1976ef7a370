"""The servers besides the default one: the same answers, the same end, and figures that add up."""

from __future__ import annotations

import concurrent.futures
import contextlib
import os
import signal
import socket
from collections.abc import Callable

import httpx
import pytest
from support.children import wait_until
from support.login import bearer
from support.service_process import ServiceProcess

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]
ORDER = {"lines": [{"product_id": 1, "quantity": 1}]}
SERVERS = [
    {"SERVER": "uvicorn"},
    {"SERVER": "gunicorn", "SERVER_WORKERS": "2", "LOG_LEVEL": "INFO"},
    {"SERVER": "hypercorn"},
]


def _sample(web: httpx.Client, series: str) -> float:
    found = [line for line in web.get("/metrics").text.splitlines() if line.startswith(f"{series} ")]
    return float(found[0].split()[-1]) if found else 0.0


@pytest.fixture(params=SERVERS, ids=[each["SERVER"] for each in SERVERS])
def server(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings of one server."""
    return request.param


def test_orders_are_taken_and_every_one_is_counted_once(
    migrated_url: str, start_service: StartService, server: dict[str, str]
) -> None:
    process = start_service("app", DATABASE_URL=migrated_url, DB_POOL_SIZE="2", **server)
    with process.wait_ready() as web:
        web.headers.update(bearer(1))

        def place(_number: int) -> int:
            # A connection each, so that every worker of several gets some.
            with httpx.Client(base_url=web.base_url, headers=bearer(1), timeout=300) as client:
                return client.post("/api/v1/orders", json=ORDER).status_code

        with concurrent.futures.ThreadPoolExecutor(8) as threads:
            assert set(threads.map(place, range(40))) == {201}
        series = 'http_requests_total{method="POST",route="/api/v1/orders",status="201"}'
        # Whichever process answers the scrape, it answers for all, and again the same.
        wait_until(lambda: _sample(web, series) == 40, what="the last count")
        assert [_sample(web, series) for _ in range(6)] == [40.0] * 6
        wait_until(lambda: _sample(web, "http_requests_in_progress") == 0, what="rest")
        assert _sample(web, "process_cpu_seconds_total") > 0
        large = web.post("/api/v1/orders", content=b"x" * 100_000)
        assert large.status_code == 413
    process.signal(signal.SIGTERM)
    assert process.wait() == 0


def test_a_request_under_way_ends_before_the_server(
    migrated_url: str, start_service: StartService, server: dict[str, str]
) -> None:
    process = start_service("app", DATABASE_URL=migrated_url, FRAUD_WEIGHT="0.4", DRAIN_S="0", **server)
    with process.wait_ready() as web, concurrent.futures.ThreadPoolExecutor(1) as threads:
        order = threads.submit(web.post, "/api/v1/orders", json=ORDER, headers=bearer(1))
        with process.client() as probe:
            wait_until(lambda: _sample(probe, "http_requests_in_progress") == 1, what="a request")
        process.signal(signal.SIGTERM)
        assert order.result().status_code == 201
    assert process.wait() == 0


def test_a_killed_worker_of_several_is_replaced_and_not_counted_any_more(
    migrated_url: str, start_service: StartService
) -> None:
    process = start_service(
        "app", DATABASE_URL=migrated_url, SERVER="gunicorn", SERVER_WORKERS="2", DB_POOL_SIZE="2"
    )
    with process.wait_ready() as web:
        wait_until(lambda: len(_serving(process)) == 2, what="both workers")
        wait_until(lambda: _sample(web, "process_resident_memory_bytes") > 0, what="figures")
        children = process.children()
        assert len(children) == 2
        os.kill(children[0], signal.SIGKILL)
        wait_until(lambda: len(_serving(process)) == 3, what="the replacement")
        assert web.get("/readyz").status_code == 200
    process.signal(signal.SIGTERM)
    assert process.wait() == 0


def _serving(process: ServiceProcess) -> list[object]:
    return [line for line in list(process.lines) if line.get("event") == "serving"]


def _raw(web: httpx.Client, data: bytes) -> bytes:
    """What the server answers to these bytes before it closes."""
    with socket.create_connection((web.base_url.host, web.base_url.port or 0), 60) as connection:
        connection.settimeout(60)
        with contextlib.suppress(OSError):  # it may hang up first; what it said is still to be read
            connection.sendall(data)
        answer = b""
        while chunk := _receive(connection):
            answer += chunk
        return answer


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65_536)
    except ConnectionResetError:
        return b""


def test_heads_without_end_are_refused(migrated_url: str, start_service: StartService) -> None:
    with start_service("app", DATABASE_URL=migrated_url).wait_ready() as web:
        begin = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
        for data in (
            begin + b"X-A: " + b"a" * 200_000,
            begin + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)),
            begin + b"X-A: " + b"a" * 40_000 + b"\r\n\r\n",
            b"GET /" + b"a" * 200_000,
        ):
            answer = _raw(web, data)
            # A reset may take the answer's place when the caller is still sending; the end is what counts.
            assert answer == b"" or answer.startswith((b"HTTP/1.1 431 ", b"HTTP/1.1 400 "))
        ordinary = begin + b"X-A: " + b"a" * 8_000 + b"\r\nConnection: close\r\n\r\n"
        assert _raw(web, ordinary).startswith(b"HTTP/1.1 200 ")
        assert web.get("/healthz").status_code == 200


def test_a_body_that_does_not_come_is_not_waited_for(migrated_url: str, start_service: StartService) -> None:
    with start_service("app", DATABASE_URL=migrated_url, BODY_TIMEOUT_S="0.2").wait_ready() as web:
        token = bearer(1)["Authorization"].encode()
        head = b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        head += b"Authorization: " + token + b"\r\nContent-Length: 50\r\n\r\n"
        assert _raw(web, head + b'{"li').startswith(b"HTTP/1.1 408 ")
