"""Counts and times requests by route template."""

from __future__ import annotations

import time
from collections.abc import Collection

from prometheus_client.metrics import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.metrics import Metrics

UNMATCHED = "unmatched"
"""The route of a request that met none. The path itself is never a label: anyone can invent paths."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class MetricsMiddleware:
    """Measures each request from its arrival in the application to the last byte of the answer.

    Args:
        ignored: paths that are not counted.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, ignored: Collection[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._ignored = frozenset(ignored)
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"] in self._ignored:
            await self._app(scope, receive, send)
            return
        # What an exception that escapes would become.
        status = 500

        async def send_noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began_s = time.perf_counter()
        self._metrics.http_in_progress.inc()
        try:
            await self._app(scope, receive, send_noting)
        finally:
            self._metrics.http_in_progress.dec()
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            # The router leaves the matched route in the scope it was handed.
            route: str = getattr(scope.get("route"), "path", UNMATCHED)
            count, duration_s = self._series(method, route, status)
            count.inc()
            duration_s.observe(time.perf_counter() - began_s)

    def _series(self, method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        """The time series of a request, remembered: to look them up by their labels takes a lock each."""
        key = (method, route, status)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = (
                self._metrics.http_requests.labels(method, route, str(status)),
                self._metrics.http_duration_s.labels(method, route),
            )
        return found
