"""Every request has an id, in the answer, in the logs and in problem details."""

from __future__ import annotations

import re
import uuid

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.trace_context import HEADER as TRACE_HEADER
from app.core.trace_context import TraceParent
from app.middleware.raw_headers import add_header, first_header

HEADER = "X-Request-Id"
_RAW_HEADER = HEADER.lower().encode()
_RAW_TRACE_HEADER = TRACE_HEADER.encode()

# Only what can do no harm in a log line or a header; anything else gets a new id.
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestIdMiddleware:
    """Keeps the id the gateway gave, or makes one; the request's trace goes into the logs beside it.

    That is the trace of the request's span where there is one, else the caller's.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = first_header(scope, _RAW_HEADER)
        request_id = given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        known = {"request_id": request_id}
        if "trace_id" in state:
            known["trace_id"] = state["trace_id"]
        elif given_trace := TraceParent.parse(first_header(scope, _RAW_TRACE_HEADER)):
            known["trace_id"] = given_trace.trace_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_header(message, _RAW_HEADER, request_id.encode())
            await send(message)

        # Not `bound_contextvars`, which goes through all context variables there are.
        tokens = structlog.contextvars.bind_contextvars(**known)
        try:
            await self._app(scope, receive, send_with_id)
        finally:
            structlog.contextvars.reset_contextvars(**tokens)
