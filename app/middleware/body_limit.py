"""Refuses bodies that are larger than any the service has use for."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.problems import problem_response
from app.middleware.raw_headers import first_header


class BodyLimitMiddleware:
    """Refuses by the declared length before reading, and by the real one and by time while reading.

    Args:
        max_bytes: the largest body let through.
        timeout_s: longest time for a whole body, however steadily it trickles.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int, timeout_s: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = first_header(scope, b"content-length")
        if declared.isdecimal() and int(declared) > self._max_bytes:
            # The unread body is still in the way of the next request, so this connection ends here.
            await problem_response(scope, 413, detail=self._detail, headers={"Connection": "close"})(
                scope, receive, send
            )
            return
        seen, complete = 0, False
        ends_s = asyncio.get_running_loop().time() + self._timeout_s

        async def receive_counting() -> Message:
            nonlocal seen, complete
            if complete:
                # What is waited for now is the caller's leaving.
                return await receive()
            try:
                async with asyncio.timeout_at(ends_s):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, headers={"Connection": "close"}) from None
            if message["type"] == "http.request":
                complete = not message.get("more_body", False)
                seen += len(message.get("body", b""))
                if seen > self._max_bytes:
                    raise HTTPException(413, detail=self._detail, headers={"Connection": "close"})
            return message

        await self._app(scope, receive_counting, send)

    @property
    def _detail(self) -> str:
        return f"the body may have at most {self._max_bytes} bytes"
