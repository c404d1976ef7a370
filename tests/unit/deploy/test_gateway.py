"""Waiting for the service to answer, against a server on loopback that answers what it is told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tidegate.deploy.gateway import IN_A_ROW, PROBE, await_answers, unanswered
from tidegate.errors import TidegateError


@contextmanager
def serving(status: Callable[[int], int]) -> Generator[tuple[str, list[str]]]:
    """A server whose n-th answer has `status(n)`; its URL and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status(len(asked)))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_good_answer_is_nothing_to_tell() -> None:
    with serving(lambda _: 200) as (url, asked):
        assert unanswered(url) == ""
    assert asked == [PROBE]


def test_what_is_wrong_is_named() -> None:
    with serving(lambda _: 503) as (url, _):
        assert unanswered(url) == "status 503"
    assert unanswered(url) == "ConnectError"


def test_one_bad_answer_starts_the_row_again() -> None:
    bad = 3
    with serving(lambda n: 503 if n == bad else 200) as (url, asked):
        await_answers(url, every_s=0.0)
    assert len(asked) == bad + IN_A_ROW


def test_a_gateway_that_never_serves_is_an_error() -> None:
    with (
        serving(lambda _: 503) as (url, _),
        pytest.raises(TidegateError, match=r"did not serve within 0 s: status 503"),
    ):
        await_answers(url, limit_s=0.0, every_s=0.01)
