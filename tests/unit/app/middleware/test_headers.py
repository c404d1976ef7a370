from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.core.lifecycle import Lifecycle
from app.middleware.drain import DrainMiddleware
from app.middleware.request_id import RequestIdMiddleware
from app.middleware.served_by import ServedByMiddleware

Call = Callable[..., httpx.Response]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    bound = structlog.contextvars.get_contextvars().get("request_id")
    body = f"{Request(scope).state.request_id} {bound}"
    await PlainTextResponse(body)(scope, receive, send)


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello")(scope, receive, send)


def test_a_given_id_is_kept_everywhere(call: Call) -> None:
    answer = call(RequestIdMiddleware(echo), headers={"X-Request-Id": "abc-1.2_3"})
    assert answer.headers["X-Request-Id"] == "abc-1.2_3"
    assert answer.text == "abc-1.2_3 abc-1.2_3"
    assert structlog.contextvars.get_contextvars() == {}


@pytest.mark.parametrize("given", ["", "two words", "a" * 65, '{"x":1}', "ä".encode().decode("latin-1")])
def test_an_id_that_could_do_harm_is_replaced(call: Call, given: str) -> None:
    answer = call(RequestIdMiddleware(echo), headers=[(b"x-request-id", given.encode("latin-1"))])
    assert answer.headers["X-Request-Id"] != given
    assert len(answer.headers["X-Request-Id"]) == 32


def test_ids_differ(call: Call) -> None:
    app = RequestIdMiddleware(echo)
    assert len({call(app).headers["X-Request-Id"] for _ in range(20)}) == 20


def test_the_pod_is_named(call: Call) -> None:
    assert call(ServedByMiddleware(plain, pod_name="web-7")).headers["X-Served-By"] == "web-7"


def test_answers_end_their_connection_only_while_draining(call: Call) -> None:
    lifecycle = Lifecycle()
    app = DrainMiddleware(plain, lifecycle=lifecycle)
    assert "Connection" not in call(app).headers
    lifecycle.begin_drain()
    assert call(app).headers["Connection"] == "close"


def test_a_request_that_began_before_the_drain_ends_its_connection_too(call: Call) -> None:
    lifecycle = Lifecycle()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        lifecycle.begin_drain()
        await plain(scope, receive, send)

    assert call(DrainMiddleware(slow, lifecycle=lifecycle)).headers["Connection"] == "close"


async def traced(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(str(structlog.contextvars.get_contextvars().get("trace_id")))(
        scope, receive, send
    )


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("given", "known"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"cc-{TRACE}-00f067aa0ba902b7-01-what-the-future-holds", TRACE),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", "None"),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", "None"),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", "None"),
        ("", "None"),
    ],
)
def test_the_trace_a_request_belongs_to_is_known_to_the_logs(call: Call, given: str, known: str) -> None:
    assert call(RequestIdMiddleware(traced), headers={"traceparent": given}).text == known
    assert structlog.contextvars.get_contextvars() == {}
