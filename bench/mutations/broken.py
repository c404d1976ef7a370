"""The service with one flaw: `python broken.py FLAW` in a web pod, in place of `python -m app`.

- `warming`: for its first 40 s the process serves nothing and says that it is alive.
- `flaky`: one request in ten is answered with 503.
- `needs-redis`: a read asks Redis first and has no way without it.

The flaw stands inside all of the service's own middleware, so that its metrics count what clients get.
Mounted from a ConfigMap: it may use nothing but what the service's image has.
"""

from __future__ import annotations

import random
import sys
import time
from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

import app.__main__ as start  # before FastAPI: it prepares that import
import app.main as service
from app.core.problems import problem_response
from app.resources import Resources

if TYPE_CHECKING:
    from fastapi import FastAPI

    from app.main import Background

WARM_S = 40.0
FLAKY_SHARE = 0.1
FLAWS = ("warming", "flaky", "needs-redis")
_BEGAN_S = time.monotonic()
_create_app = service.create_app


class Flawed:
    """Lets the flaw answer where it shows, and the service everywhere else."""

    def __init__(self, app: ASGIApp, *, flaw: str, resources: Resources) -> None:
        self._app = app
        self._flaw = flaw
        self._resources = resources

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        status = await self._status(scope) if scope["type"] == "http" else 0
        if status:
            await problem_response(scope, status)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _status(self, scope: Scope) -> int:
        """The flaw's own answer, 0 for none; an error of Redis is let out, as by those who forget it."""
        path = str(scope["path"])
        if self._flaw == "warming":
            return 500 if path != "/healthz" and time.monotonic() - _BEGAN_S < WARM_S else 0
        if self._flaw == "flaky":
            return 503 if path.startswith("/api/") and random.random() < FLAKY_SHARE else 0  # noqa: S311
        if scope["method"] == "GET" and path.startswith(("/api/v1/products", "/api/v2/products")):
            await self._resources.link.call(lambda redis: redis.get("tidegate:flaw"))
        return 0


def create_flawed_app(resources: Resources, *, background: Background | None = None) -> FastAPI:
    """The service's application with the flaw that the command line names."""
    made = _create_app(resources, background=background)
    made.user_middleware.append(Middleware(Flawed, flaw=sys.argv[1], resources=resources))
    return made


if __name__ == "__main__":
    if sys.argv[1:] not in [[flaw] for flaw in FLAWS]:
        sys.exit(f"error: name one flaw of {', '.join(FLAWS)}")
    service.create_app = create_flawed_app
    sys.exit(start.main())
