from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from app.core.deprecation import V1, Deprecation
from app.middleware.deprecation import DeprecationMiddleware

Call = Callable[..., httpx.Response]

POLICY = Deprecation(
    prefix="/api/v1/",
    deprecated_at=datetime(2024, 6, 30, 23, 59, 59, tzinfo=UTC),
    sunset_at=datetime(2025, 6, 30, 23, 59, 59, tzinfo=UTC),
    successor="/api/v2/",
)


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("hello", 404)(scope, receive, send)


def test_the_old_version_says_when_it_goes(call: Call) -> None:
    headers = call(DeprecationMiddleware(hello, policy=POLICY), path="/api/v1/orders").headers
    assert headers["Deprecation"] == "@1719791999"
    assert headers["Sunset"] == "Mon, 30 Jun 2025 23:59:59 GMT"
    assert headers["Link"] == '</api/v2/>; rel="successor-version"'


def test_nothing_else_says_anything(call: Call) -> None:
    for path in ("/api/v2/orders", "/api/v1", "/healthz"):
        headers = call(DeprecationMiddleware(hello, policy=POLICY), path=path).headers
        assert not {"deprecation", "sunset", "link"} & set(headers)


def test_callers_of_version_1_have_a_year() -> None:
    assert V1.sunset_at - V1.deprecated_at >= timedelta(days=365)
