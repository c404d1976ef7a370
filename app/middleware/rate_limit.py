"""Tells callers what is left of their budget, in whatever answer they get."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATE = "rate_limit_headers"
"""Where in the request's state the limiter leaves its headers: answers made in routes, by error handlers and
out of the cache have nothing else in common."""


class RateLimitHeadersMiddleware:
    """Adds the headers that the limiter left for this request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_budget(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = scope.get("state", {}).get(STATE)
                if headers:
                    MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_with_budget)
