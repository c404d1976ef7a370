"""Says in every answer of an old version when it goes, its errors and refusals included."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.deprecation import Deprecation


class DeprecationMiddleware:
    """Adds the headers of `policy` to the answers below its prefix."""

    def __init__(self, app: ASGIApp, *, policy: Deprecation) -> None:
        self._app = app
        self._prefix = policy.prefix
        self._headers = policy.headers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return

        async def send_with_notice(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_notice)
