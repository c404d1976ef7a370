"""Following an order, from process to process: the worker decides, the web process tells."""

from __future__ import annotations

import contextlib
import json
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from support.children import wait_until
from support.login import bearer
from support.redis_server import RedisServer
from support.service_process import ServiceProcess
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]
ORDER = {"lines": [{"product_id": 1, "quantity": 1}]}


class _Follower(threading.Thread):
    """Reads server-sent events until the stream ends."""

    def __init__(self, base_url: str, path: str) -> None:
        super().__init__(daemon=True)
        self.events: list[tuple[str, str, Any]] = []
        self._base_url, self._path = base_url, path

    def run(self) -> None:
        with (
            httpx.Client(base_url=self._base_url, headers=bearer(1), timeout=300) as client,
            client.stream("GET", self._path) as answer,
        ):
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                elif fields:
                    if "event" in fields:
                        event = (fields["event"], fields.get("id", ""), json.loads(fields["data"]))
                        self.events.append(event)
                    fields = {}


def _place(web: httpx.Client) -> str:
    return web.post("/api/v2/orders", json=ORDER, headers=bearer(1)).json()["id"]


@contextmanager
def _socket(web: httpx.Client, order_id: str, **options: Any) -> Generator[ClientConnection]:
    url = str(web.base_url).replace("http", "ws", 1).rstrip("/") + f"/api/v2/streams/orders/{order_id}"
    socket: ClientConnection = connect(url, **options)  # pyright: ignore[reportUnknownVariableType]
    with socket:
        yield socket


def _received(socket: ClientConnection) -> tuple[list[str], int | None]:
    """The statuses that come until the server closes, and its close code."""
    statuses: list[str] = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            statuses.append(json.loads(socket.recv(timeout=300))["status"])
    return statuses, socket.close_code


def test_the_workers_decision_reaches_followers_of_both_kinds(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = {"DATABASE_URL": migrated_url, "REDIS_URL": redis_server.url}
    with start_service("app", **settings).wait_ready() as web:
        order_id = _place(web)
        follower = _Follower(str(web.base_url), f"/api/v2/streams/orders/{order_id}")
        follower.start()
        with _socket(web, order_id, additional_headers=bearer(1)) as socket:
            wait_until(lambda: len(follower.events) == 1, what="the first event")
            start_service("app.worker", **settings)
            statuses, code = _received(socket)
        follower.join(300)
        assert (statuses[0], code) == ("pending", 1000)
        assert [(name, key) for name, key, _ in follower.events] == [("order", status) for status in statuses]
        final = web.get(f"/api/v2/orders/{order_id}", headers=bearer(1)).json()
        assert follower.events[-1][2] == final
        # Coming again with what it knows, a follower is told to stay away.
        again = web.get(
            f"/api/v2/streams/orders/{order_id}", headers=bearer(1) | {"Last-Event-ID": final["status"]}
        )
        assert again.status_code == 204


def test_a_drain_asks_followers_to_come_again_and_does_not_wait_for_them(
    migrated_url: str, start_service: StartService
) -> None:
    process = start_service("app", DATABASE_URL=migrated_url, DRAIN_S="0", GRACEFUL_TIMEOUT_S="600")
    with process.wait_ready() as web:
        order_id = _place(web)
        follower = _Follower(str(web.base_url), f"/api/v2/streams/orders/{order_id}")
        follower.start()
        with _socket(web, order_id, additional_headers=bearer(1)) as socket:
            wait_until(lambda: len(follower.events) == 1, what="the first event")
            assert json.loads(socket.recv(timeout=300))["status"] == "pending"
            process.signal(signal.SIGTERM)
            assert _received(socket) == ([], 1012)
        follower.join(300)
        assert follower.events[-1][0] == "reconnect"
        assert process.wait() == 0


def test_who_may_follow(migrated_url: str, start_service: StartService) -> None:
    with start_service("app", DATABASE_URL=migrated_url).wait_ready() as web:
        order_id = _place(web)
        path = f"/api/v2/streams/orders/{order_id}"
        assert web.get(path).status_code == 401
        assert web.get(path, headers=bearer(2)).status_code == 404
        for headers, status in (({}, 401), ({"Authorization": "Bearer x"}, 401), (bearer(2), 404)):
            with pytest.raises(InvalidStatus) as caught, _socket(web, order_id, additional_headers=headers):
                pass
            assert caught.value.response.status_code == status
            assert json.loads(caught.value.response.body)["status"] == status
        # As a browser does it.
        token = bearer(1)["Authorization"].removeprefix("Bearer ")
        offered = [Subprotocol("tidegate.v2"), Subprotocol(f"bearer.{token}")]
        with _socket(web, order_id, subprotocols=offered) as socket:
            assert socket.subprotocol == "tidegate.v2"
            assert json.loads(socket.recv(timeout=300))["id"] == order_id
