"""The worker's small HTTP side: alive, and how much waits."""

from __future__ import annotations

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.core.metrics import Metrics
from app.core.problems import problem_response


def worker_app(metrics: Metrics, ailment: Callable[[], str | None]) -> Starlette:
    """Two routes.

    Args:
        ailment: says what is wrong with the process itself, or None. An absent Redis or database is nothing
            that a restart would cure, and so is no ailment.
    """

    async def healthz(request: Request) -> Response:
        wrong = ailment()
        if wrong:
            return problem_response(
                request.scope, 503, slug="worker-stuck", title="Worker stuck", detail=wrong
            )
        return JSONResponse({"status": "alive"})

    async def exposition(_: Request) -> Response:
        return Response(metrics.render(), media_type=metrics.content_type)

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", exposition)])
