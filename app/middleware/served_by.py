"""Says which pod answered, so that a client can see how load is spread."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Served-By"


class ServedByMiddleware:
    """Adds the pod's name to every answer."""

    def __init__(self, app: ASGIApp, *, pod_name: str) -> None:
        self._app = app
        self._pod_name = pod_name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_name(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = self._pod_name
            await send(message)

        await self._app(scope, receive, send_with_name)
