"""Says which pod answered, so that a client can see how load is spread."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.middleware.raw_headers import add_header

HEADER = "X-Served-By"
_RAW_HEADER = HEADER.lower().encode()


class ServedByMiddleware:
    """Adds the pod's name to every answer."""

    def __init__(self, app: ASGIApp, *, pod_name: str) -> None:
        self._app = app
        self._pod_name = pod_name.encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_name(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_header(message, _RAW_HEADER, self._pod_name)
            await send(message)

        await self._app(scope, receive, send_with_name)
