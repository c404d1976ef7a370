from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from app.middleware.errors import ErrorMiddleware

Call = Callable[..., httpx.Response]


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("password=secret-word")


async def half_broken(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("half")(scope, receive, send)
    raise RuntimeError("late")


def test_an_unforeseen_exception_is_logged_and_not_told(call: Call) -> None:
    with capture_logs() as logs:
        answer = call(ErrorMiddleware(broken), path="/somewhere")
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "instance": "/somewhere",
    }
    assert logs[0]["event"] == "request_failed"
    assert logs[0]["path"] == "/somewhere"


def test_half_an_answer_is_broken_off(call: Call) -> None:
    with capture_logs(), pytest.raises(RuntimeError, match="late"):
        call(ErrorMiddleware(half_broken))
