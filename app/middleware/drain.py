"""Ends keep-alive connections with a word instead of a reset."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.lifecycle import Lifecycle


class DrainMiddleware:
    """While the process drains, every answer is the last on its connection.

    A gateway keeps connections open for its next requests. If the server just closed them, a request
    already on its way would meet a reset. `Connection: close` tells the gateway, in an answer it gets
    anyway, to open the next connection elsewhere.
    """

    def __init__(self, app: ASGIApp, *, lifecycle: Lifecycle) -> None:
        self._app = app
        self._lifecycle = lifecycle

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_last(message: Message) -> None:
            # Asked now and not when the request came: the drain may have begun in between.
            if message["type"] == "http.response.start" and self._lifecycle.draining:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_last)
