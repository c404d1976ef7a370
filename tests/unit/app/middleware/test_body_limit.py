from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from app.middleware.body_limit import BodyLimitMiddleware

Call = Callable[..., httpx.Response]
LIMIT = 1000


class Reader:
    def __init__(self) -> None:
        self.calls = 0

        async def read(request: Request) -> Response:
            self.calls += 1
            return PlainTextResponse(str(len(await request.body())))

        # The exception middleware of an application stands further out than its routes, as in the service.
        inner = Starlette(routes=[Route("/", read, methods=["POST", "GET"])])
        inner.add_middleware(_Limit)
        self.app: ASGIApp = inner


class _Limit(BodyLimitMiddleware):
    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, max_bytes=LIMIT, timeout_s=60)


async def _chunks(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * 100


def test_a_body_up_to_the_limit_passes(call: Call) -> None:
    reader = Reader()
    assert call(reader.app, "POST", content=b"x" * LIMIT).text == "1000"
    assert call(reader.app, "POST", content=_chunks(10)).text == "1000"
    assert call(reader.app).text == "0"


def test_a_declared_length_is_refused_before_anything_is_read(call: Call) -> None:
    reader = Reader()
    answer = call(reader.app, "POST", content=b"x" * (LIMIT + 1))
    assert (answer.status_code, reader.calls) == (413, 0)
    assert answer.headers["Connection"] == "close"
    assert answer.json()["detail"] == "the body may have at most 1000 bytes"


def test_an_undeclared_length_is_refused_while_reading(call: Call) -> None:
    reader = Reader()
    answer = call(reader.app, "POST", content=_chunks(11))
    assert (answer.status_code, reader.calls) == (413, 1)
    assert answer.headers["Connection"] == "close"
