"""Middleware around an application of the test's own, called as a server would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx
import pytest
from starlette.types import ASGIApp

Call = Callable[..., httpx.Response]


@pytest.fixture
def call() -> Call:
    """One request to an application; exceptions come through."""

    def request(app: ASGIApp, method: str = "GET", path: str = "/", **options: object) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **options)  # type: ignore[arg-type]

        return asyncio.run(send())

    return request
