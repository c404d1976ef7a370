"""The last resort: an unforeseen exception becomes a log line and a problem without details."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.logging import get_logger
from app.core.problems import problem_response

_log = get_logger(__name__)


class ErrorMiddleware:
    """Stands inside the other middleware, so that even this answer has an id, a name and a count."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noting)
        except Exception:
            _log.exception("request_failed", method=scope["method"], path=scope["path"])
            if started:
                # Half an answer is out; only breaking the connection tells the caller that it is not whole.
                raise
            await problem_response(scope, 500)(scope, receive, send)
