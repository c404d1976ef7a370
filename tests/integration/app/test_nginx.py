"""NGINX -> Gunicorn -> Uvicorn workers: the chart's configuration and the programs that run in a pod."""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from support.children import wait_until
from support.login import bearer
from support.nginx_server import NginxServer
from support.service_process import ServiceProcess
from websockets.sync.client import connect

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]
StartChain = Callable[..., "Chain"]
ORDER = {"lines": [{"product_id": 1, "quantity": 1}]}


class Chain:
    """A service and the NGINX in front of it."""

    def __init__(self, process: ServiceProcess, nginx: NginxServer) -> None:
        self.process = process
        self.nginx = nginx

    def client(self, *, source: str = "127.0.0.1") -> httpx.Client:
        """A client that goes through NGINX, from an address of this machine."""
        transport = httpx.HTTPTransport(local_address=source)
        return httpx.Client(base_url=self.nginx.url, timeout=60, transport=transport)


@pytest.fixture
def start_chain(migrated_url: str, start_service: StartService, tmp_path: Path) -> Iterator[StartChain]:
    """Starts a chain, with settings of the service."""
    started: list[NginxServer] = []

    def start(**settings: str) -> Chain:
        defaults = {"SERVER": "gunicorn", "SERVER_WORKERS": "2", "DB_POOL_SIZE": "2"}
        # As the chart sets it.
        defaults |= {"TRUSTED_PROXIES": "127.0.0.1/32"}
        chosen = defaults | settings
        process = start_service("app", DATABASE_URL=migrated_url, **chosen)
        process.wait_ready().close()
        # The first worker answers while the second still starts.
        wait_until(lambda: _serving(process) == int(chosen["SERVER_WORKERS"]), what="every worker")
        nginx = NginxServer(tmp_path / "nginx", process.event("serving")["port"])
        started.append(nginx)
        return Chain(process, nginx)

    try:
        yield start
    finally:
        for nginx in started:
            nginx.close()


def _serving(process: ServiceProcess) -> int:
    return sum(line.get("event") == "serving" for line in list(process.lines))


def _refused(answer: httpx.Response, status: int) -> None:
    """The service's own form of a refusal, whoever it came from."""
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json()["status"] == status


def test_what_passes_and_what_is_refused(start_chain: StartChain) -> None:
    chain = start_chain()
    with chain.client() as web:
        assert web.get("/readyz").json() == {"status": "ready"}
        listed = web.get("/api/v2/products")
        assert listed.status_code == 200
        assert (
            web.get("/api/v2/products", headers={"If-None-Match": listed.headers["ETag"]}).status_code == 304
        )
        placed = web.post("/api/v1/orders", json=ORDER, headers=bearer(1))
        assert placed.status_code == 201
        order = web.get(f"/api/v1/orders/{placed.json()['id']}", headers=bearer(1))
        assert order.json()["id"] == placed.json()["id"]
        # Seen from the gateway there are no operators' pages; at the application's own port there are.
        _refused(web.get("/metrics"), 404)
        _refused(web.get("/debug/profile"), 404)
        with chain.process.client() as direct:
            assert "http_requests_total" in direct.get("/metrics").text
        large = b"x" * 65_537
        _refused(web.post("/api/v1/orders", content=large, headers=bearer(1)), 413)
        _refused(web.post("/api/v1/orders", content=iter([large]), headers=bearer(1)), 413)
        _refused(web.get("/api/v2/products", headers={"X-A": "a" * 40_000}), 431)
        _refused(web.get("/" + "a" * 40_000), 414)
        assert web.get("/api/v2/products", headers={"X-A": "a" * 8_000}).status_code == 200
        assert web.get("/-/alive").status_code == 204


def test_a_service_that_is_gone_is_503(start_chain: StartChain) -> None:
    chain = start_chain()
    chain.process.signal(signal.SIGTERM)
    assert chain.process.wait() == 0
    with chain.client() as web:
        _refused(web.get("/api/v2/products"), 503)
        assert web.get("/-/alive").status_code == 204


def test_a_body_that_does_not_come_is_not_waited_for(start_chain: StartChain) -> None:
    chain = start_chain(BODY_TIMEOUT_S="0.2")
    token = bearer(1)["Authorization"].encode()
    head = b"POST /api/v1/orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += b"Authorization: " + token + b"\r\nContent-Length: 50\r\n\r\n"
    with socket.create_connection(("127.0.0.1", chain.nginx.port), 60) as connection:
        connection.sendall(head + b'{"li')
        assert connection.recv(65_536).startswith(b"HTTP/1.1 408 ")


def test_a_caller_cannot_choose_the_address_it_is_counted_under(start_chain: StartChain) -> None:
    # One process, for without Redis each counts by itself.
    chain = start_chain(SERVER="uvicorn", SERVER_WORKERS="1", LIMIT_READS="3/hour")
    with chain.client(source="127.0.0.2") as web:
        answers = [
            web.get("/api/v2/products", headers={"X-Forwarded-For": f"203.0.113.{number}"})
            for number in range(4)
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    with chain.client(source="127.0.0.3") as web:
        assert web.get("/api/v2/products").status_code == 200


def test_events_come_when_they_happen(start_chain: StartChain) -> None:
    # No worker runs, so the order stays pending and its streams stay open: what a buffer held would not come.
    chain = start_chain()
    with chain.client() as web:
        order_id = web.post("/api/v2/orders", json=ORDER, headers=bearer(1)).json()["id"]
        path = f"/api/v2/streams/orders/{order_id}"
        with web.stream("GET", path, headers=bearer(1)) as answer:
            first = next(line for line in answer.iter_lines() if line.startswith("data: "))
            assert json.loads(first.removeprefix("data: "))["status"] == "pending"
        url = chain.nginx.url.replace("http", "ws", 1) + path
        with connect(url, additional_headers=bearer(1)) as follower:
            assert json.loads(follower.recv(timeout=60))["status"] == "pending"


def test_the_end_loses_nothing_that_was_taken(start_chain: StartChain) -> None:
    # Orders of about a second each, two for each worker, when the whole pod is told to go.
    chain = start_chain(FRAUD_WEIGHT="0.4", DRAIN_S="2", GRACEFUL_TIMEOUT_S="60")

    def place(_number: int) -> int:
        with chain.client() as web:
            return web.post("/api/v1/orders", json=ORDER, headers=bearer(1)).status_code

    def in_progress() -> float:
        with chain.process.client() as probe:
            lines = probe.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("http_requests_in_progress "))

    with concurrent.futures.ThreadPoolExecutor(4) as threads:
        orders = [threads.submit(place, number) for number in range(4)]
        wait_until(
            lambda: in_progress() + sum(order.done() for order in orders) >= 4, what="four orders taken"
        )
        chain.nginx.quit()
        chain.process.signal(signal.SIGTERM)
        assert [order.result() for order in orders] == [201] * 4
    assert chain.nginx.wait() == 0
    assert chain.process.wait() == 0
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", chain.nginx.port), 5):
        pytest.fail("it still takes connections")
