"""The application put together, in process, on a database file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import pytest
from support.login import bearer

from app.core.settings import Settings
from app.main import create_app
from app.resources import Resources

Scenario = Callable[[httpx.AsyncClient, Resources], Awaitable[None]]
Run = Callable[[Scenario], None]


@pytest.fixture
def run(shop: Settings) -> Run:
    """Runs a scenario against the application on the test's own shop, as its first account."""

    def start(scenario: Scenario) -> None:
        async def main() -> None:
            resources = Resources.create(shop, application="test")
            app = create_app(resources)
            transport = httpx.ASGITransport(app)
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=transport, base_url="http://test", headers=bearer(1)) as client,
            ):
                await scenario(client, resources)

        asyncio.run(main())

    return start
