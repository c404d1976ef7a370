"""What the platform asks: alive, ready, how much."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response

from app.api.dependencies import ResourcesDep
from app.core.exceptions import DatabaseUnavailableError
from app.core.metrics import CONTENT_TYPE
from app.core.problems import problem_response
from app.schemas.problems import problem_responses

PATHS = frozenset({"/healthz", "/readyz", "/metrics"})
"""Left out of the HTTP metrics: a prober's steady trickle says nothing about the service."""

_PROBE_TIMEOUT_S = 2.0

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the event loop turns. Asks nothing else: a restart cures no database."""
    return {"status": "alive"}


@router.get("/readyz", response_model=None, responses=problem_responses(503))
async def readyz(request: Request, resources: ResourcesDep) -> Response | dict[str, str]:
    """Whether requests should come here: the database answers, and the process is not on its way out.

    Redis does not count: version 2 orders are taken without it and decided when it is back.
    """
    if resources.lifecycle.draining:
        return problem_response(request.scope, 503, slug="draining", title="Draining")
    try:
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            await resources.database.ping()
    except (DatabaseUnavailableError, TimeoutError) as error:
        detail = error.detail if isinstance(error, DatabaseUnavailableError) else "the database is slow"
        return problem_response(
            request.scope,
            503,
            slug=DatabaseUnavailableError.slug,
            title=DatabaseUnavailableError.title,
            detail=detail,
        )
    return {"status": "ready"}


@router.get("/metrics")
async def metrics(resources: ResourcesDep) -> Response:
    """The process's measurements, for Prometheus."""
    return Response(resources.metrics.render(), media_type=CONTENT_TYPE)
