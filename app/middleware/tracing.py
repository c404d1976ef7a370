"""Every request is a span; only part of the application where tracing is on."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.trace_context import HEADER, TraceParent
from app.core.tracing import Value

if TYPE_CHECKING:
    from app.telemetry.tracing import Tracing

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class TracingMiddleware:
    """Continues the caller's trace, or begins one, and leaves its id where the logs look for it.

    Outermost, so that all of the request is in the span. WebSockets live too long to be one.

    Args:
        ignored: paths that make no spans.
    """

    def __init__(self, app: ASGIApp, *, tracing: Tracing, ignored: Collection[str]) -> None:
        self._app = app
        self._tracing = tracing
        self._ignored = frozenset(ignored)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in self._ignored:
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"
        attributes: dict[str, Value] = {
            "http.request.method": method,
            "url.path": scope["path"],
            "url.scheme": scope.get("scheme", "http"),
            "network.protocol.version": scope.get("http_version", "1.1"),
        }
        given = TraceParent.parse(Headers(scope=scope).get(HEADER))
        # What an exception that escapes would become.
        status = 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._tracing.continued(method, "server", given, attributes) as span:
            state = scope.setdefault("state", {})
            state["trace_id"] = span.parent.trace_id
            try:
                await self._app(scope, receive, send_noting)
            finally:
                # The router leaves the matched route in the scope it was handed.
                route = getattr(scope.get("route"), "path", None)
                if route is not None:
                    span.name(f"{method} {route}")
                    span.note({"http.route": route})
                span.note({"http.response.status_code": status})
                if "request_id" in state:
                    span.note({"tidegate.request_id": state["request_id"]})
                if status >= 500:
                    span.fail(str(status))
