"""Every request has an id, in the answer, in the logs and in problem details."""

from __future__ import annotations

import re
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-Id"

# Only what can do no harm in a log line or a header; anything else gets a new id.
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")

# W3C Trace Context, section 3.2; of later versions only what this one knows is read.
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
_NO_TRACE = "0" * 32


class RequestIdMiddleware:
    """Keeps the id the gateway gave, or makes one; the request's trace goes into the logs beside it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(HEADER)
        request_id = given if given and _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        known = {"request_id": request_id}
        trace = _TRACEPARENT.fullmatch(Headers(scope=scope).get("traceparent", ""))
        if trace and trace["trace"] != _NO_TRACE:
            known["trace_id"] = trace["trace"]

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        # Not `bound_contextvars`, which goes through all context variables there are.
        tokens = structlog.contextvars.bind_contextvars(**known)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
