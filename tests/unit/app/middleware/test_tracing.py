from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import httpx
import pytest
import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from support.otlp_receiver import Received, Receiver, receiving

from app.core.settings import load_settings
from app.core.trace_context import TraceParent
from app.core.tracing import current_parent, span
from app.middleware.request_id import RequestIdMiddleware
from app.middleware.tracing import TracingMiddleware
from app.telemetry.tracing import Tracing

Call = Callable[..., httpx.Response]

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Recorded:
    """A tracer whose spans a receiver has once it is closed."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.tracing = Tracing(load_settings(otlp_endpoint=receiver.url), application="test")

    async def spans(self) -> list[Received]:
        await self.tracing.close()
        return self._receiver.spans()


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    with receiving() as receiver:
        yield Recorded(receiver)


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Say what the logs would say, and what a message would carry."""
    known = structlog.contextvars.get_contextvars()
    with span("work"):
        await PlainTextResponse(f"{known.get('trace_id')} {current_parent()}")(scope, receive, send)


@pytest.mark.parametrize("given", [f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{'0' * 16}-01", ""])
def test_logs_messages_and_spans_name_one_trace(call: Call, recorded: Recorded, given: str) -> None:
    app = TracingMiddleware(RequestIdMiddleware(answer), tracing=recorded.tracing, ignored=())
    headers = {"traceparent": given, "X-Request-Id": "r-1"}
    logged, carried = call(app, path="/x", headers=headers).text.split()
    request, work = sorted(asyncio.run(recorded.spans()), key=lambda each: each.name)
    assert request.trace_id == work.trace_id == logged
    assert (work.name, work.parent_id) == ("work", request.span_id)
    assert TraceParent.parse(carried) == TraceParent(request.trace_id, work.span_id, True)
    continued = TraceParent.parse(given)
    assert (request.trace_id == TRACE) is (continued is not None)
    assert request.parent_id == (CALLER if continued else "")
    assert request.attributes["tidegate.request_id"] == "r-1"
    assert request.attributes["url.path"] == "/x"
    assert structlog.contextvars.get_contextvars() == {}
    assert current_parent() is None


def test_what_goes_wrong_is_marked_and_never_quoted(call: Call, recorded: Recorded) -> None:
    async def fail(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("a secret")

    app = TracingMiddleware(fail, tracing=recorded.tracing, ignored=())
    with pytest.raises(RuntimeError):
        call(app)
    (request,) = asyncio.run(recorded.spans())
    assert request.failed
    assert request.attributes["error.type"] == "RuntimeError"
    assert request.attributes["http.response.status_code"] == 500
    assert "secret" not in str(request)


@pytest.mark.parametrize(("status", "failed"), [(200, False), (404, False), (503, True)])
def test_a_refusal_is_no_failure_of_the_service(
    call: Call, recorded: Recorded, status: int, failed: bool
) -> None:
    app = TracingMiddleware(PlainTextResponse("x", status_code=status), tracing=recorded.tracing, ignored=())
    assert call(app, method="POST").status_code == status
    (request,) = asyncio.run(recorded.spans())
    assert (request.name, request.failed) == ("POST", failed)


def test_probes_make_no_spans_and_invented_methods_no_names(call: Call, recorded: Recorded) -> None:
    app = TracingMiddleware(answer, tracing=recorded.tracing, ignored={"/healthz"})
    assert call(app, path="/healthz").text == "None None"
    call(app, method="BREW")
    request, work = sorted(asyncio.run(recorded.spans()), key=lambda each: each.name)
    assert (request.name, work.name) == ("_OTHER", "work")
