"""A small shop on 127.0.0.1 that keeps its own book of every request."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Entry:
    """One request as the server saw it."""

    request_id: str
    pod: str
    line: str
    status: int
    """0 when the connection was closed instead of answering."""
    arrived_s: float


class Shop(ThreadingHTTPServer):
    """Serves the routes of the service, under the control of a test."""

    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.book: list[Entry] = []
        self.begun = 0
        self.answer_after_s = 0.0
        self.hold_until_s = 0.0
        """Unix time before which nothing is answered."""
        self.fail_every = 0
        """Every so-manieth order is answered 503."""
        self.hang_up_on: str | None = None
        """Requests whose line contains this are answered by closing the connection."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Shop  # pyright: ignore[reportIncompatibleVariableOverride] - typeshed has it mutable

    def do_GET(self) -> None:
        page = {"items": [{"id": number} for number in range(1, 21)]}
        self._answer(200, page if "?" in self.path else {"id": 1, "status": "accepted"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/api/v2/auth/token":
            self._answer(200, {"access_token": "a-token", "token_type": "Bearer"})
        elif self.path == "/api/v2/orders":
            self._answer(202, {"id": "x"}, location="/api/v2/orders/x")
        else:
            self._answer(201, {"id": "x", "status": "accepted"})

    def _answer(self, status: int, body: object, location: str = "") -> None:
        shop = self.server
        line, arrived_s = f"{self.command} {self.path}", time.time()
        with shop.lock:
            shop.begun += 1
            number = shop.begun
        time.sleep(shop.answer_after_s + max(0.0, shop.hold_until_s - time.time()))
        if shop.fail_every and self.path == "/api/v1/orders" and number % shop.fail_every == 0:
            status = 503
        hang_up = shop.hang_up_on is not None and shop.hang_up_on in line
        entry = Entry(f"r-{number}", f"pod-{number % 3}", line, 0 if hang_up else status, arrived_s)
        with shop.lock:
            shop.book.append(entry)
        if hang_up:
            self.close_connection = True
            return
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("X-Served-By", entry.pod)
        self.send_header("X-Request-Id", entry.request_id)
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""
