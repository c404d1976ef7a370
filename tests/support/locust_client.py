"""What Locust's own client makes of a request: the measure of ours."""

# Locust types its members only in part:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

from __future__ import annotations

from typing import Any

import gevent
import support.unpatched_locust
from geventhttpclient.client import HTTPClient, HTTPClientPool
from geventhttpclient.url import URL
from locust.contrib.fasthttp import FastHttpSession
from locust.event import EventHook

from tidegate.load.recorder import error_text

assert support.unpatched_locust.locust  # imported before Locust's own parts


class SingleAttemptPool(HTTPClientPool):
    """Connections on which a request is tried once."""

    def get_client(self, url: str | URL) -> HTTPClient:
        """Return the client for `url`, with no second attempts left."""
        client = super().get_client(url)
        # The number of attempts is one more than this; its other use, the semaphore, is made already.
        client._connection_pool.size = -1  # pyright: ignore[reportPrivateUsage]
        return client


def by_locust(method: str, url: str, timeout_s: float) -> dict[str, Any]:
    """Return the facts of `method` on `url`."""
    reports: list[dict[str, Any]] = []
    fired = EventHook()
    fired.add_listener(lambda **report: reports.append(report))
    pool = SingleAttemptPool(concurrency=1, connection_timeout=timeout_s, network_timeout=timeout_s)
    session = FastHttpSession(url, fired, None, client_pool=pool, max_retries=0, max_redirects=0)
    with gevent.Timeout(timeout_s):
        response = session.request(method, "/")
    found = facts(response, reports[0]["exception"])
    pool.close()
    return found


def facts(response: Any, error: BaseException | None) -> dict[str, Any]:
    """Return what a response and its failure are to the record and to a task."""
    headers = response.headers
    return {
        "status": response.status_code,
        "error": error_text(error, response.status_code),
        # Of a body that is broken Locust's client has nothing to give but the failure.
        "content": response.content if error is None or response.status_code >= 400 else None,
        "text": response.text if error is None else None,
        "headers": None if headers is None else sorted(headers.iterlower()),
        "pod": None if headers is None else headers.get("x-served-by"),
    }
