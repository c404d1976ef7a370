"""What the platform asks: alive, ready, how much."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from app.api.dependencies import OperatorOnly, ResourcesDep
from app.api.document import operation_id
from app.api.limits import OperatorLimit
from app.core.exceptions import DatabaseUnavailableError
from app.core.problems import problem_response
from app.schemas.problems import problem_responses

PATHS = frozenset({"/startupz", "/healthz", "/readyz", "/metrics", "/debug/profile"})
"""Left out of the HTTP metrics: neither a prober's trickle nor a profile says how the service fares."""

_PROBE_WAIT_S = 2.0
_STARTUP_WAIT_S = 15.0

router = APIRouter(tags=["operations"], generate_unique_id_function=operation_id)


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """Whether the event loop turns. Asks nothing else: a restart cures no database."""
    return {"status": "alive"}


@router.get("/startupz")
async def startupz(resources: ResourcesDep) -> dict[str, str]:
    """Whether there is any sense in asking for readiness: the database was asked once, with whatever result.

    The first connection takes long where many pods start together. A readiness probe that came before it was
    there would fail, and the next comes a period later.
    """
    await resources.readiness.first(_STARTUP_WAIT_S)
    return {"status": "started"}


@router.get("/readyz", response_model=None, responses=problem_responses(503))
async def readyz(request: Request, resources: ResourcesDep) -> Response | dict[str, str]:
    """Whether requests should come here: the database answers, and the process is not on its way out.

    Redis does not count: version 2 orders are taken without it and decided when it is back.
    """
    if resources.lifecycle.draining:
        return problem_response(request.scope, 503, slug="draining", title="Draining")
    try:
        await resources.readiness.check(_PROBE_WAIT_S)
    except DatabaseUnavailableError as error:
        return problem_response(
            request.scope,
            503,
            slug=DatabaseUnavailableError.slug,
            title=DatabaseUnavailableError.title,
            detail=error.detail,
        )
    return {"status": "ready"}


@router.get(
    "/debug/profile",
    dependencies=[OperatorLimit, OperatorOnly],
    response_class=Response,
    responses={
        200: {
            "description": "The picture, or stacks with counts",
            "content": {"image/svg+xml": {}, "text/plain": {}},
        },
        **problem_responses(401, 404, 422, 429, 503),
    },
)
async def profile(
    resources: ResourcesDep,
    seconds: Annotated[float, Query(ge=0.1, le=60)] = 5,
    form: Annotated[Literal["svg", "folded"], Query(alias="format")] = "svg",
) -> Response:
    """Show where this process spends its time, as a flame graph. For operators, from inside the cluster."""
    samples = await resources.profiler.sample(seconds)
    # Needed by no other request.
    from app.services.flame_graph import flame_graph
    from app.services.profiler import folded

    headers = {"Cache-Control": "no-store"}
    if form == "folded":
        return Response(folded(samples), media_type="text/plain", headers=headers)
    return Response(flame_graph(samples), media_type="image/svg+xml", headers=headers)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"description": "Prometheus' exposition format", "content": {"text/plain": {}}}},
)
async def metrics(resources: ResourcesDep) -> Response:
    """The process's measurements, for Prometheus."""
    return Response(resources.metrics.render(), media_type=resources.metrics.content_type)
