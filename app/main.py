"""The web application, put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

from fastapi import FastAPI
from starlette.middleware import Middleware

from app.api import auth, operations
from app.api.document import complete_document
from app.api.errors import add_error_handlers
from app.api.v1 import orders as orders_v1
from app.api.v1 import products as products_v1
from app.api.v2 import orders as orders_v2
from app.api.v2 import products as products_v2
from app.api.v2 import streams as streams_v2
from app.core.deprecation import V1
from app.core.vitals import Vitals
from app.middleware.body_limit import BodyLimitMiddleware
from app.middleware.deprecation import DeprecationMiddleware
from app.middleware.drain import DrainMiddleware
from app.middleware.errors import ErrorMiddleware
from app.middleware.metrics import MetricsMiddleware
from app.middleware.rate_limit import RateLimitHeadersMiddleware
from app.middleware.request_id import RequestIdMiddleware
from app.middleware.served_by import ServedByMiddleware
from app.middleware.tracing import TracingMiddleware
from app.resources import Resources
from app.workers.queue_metrics import QueueMetrics

_ROUTERS = (
    products_v1.router,
    orders_v1.router,
    auth.router_v1,
    products_v2.router,
    orders_v2.router,
    streams_v2.router,
    operations.router,
    auth.router_v2,
)

Background = Callable[[Resources], AbstractAsyncContextManager[None]]
"""Something that runs for as long as the application serves."""

_UNPROBED_S = 2.0
"""Time for the first probe, after which what can wait for its answer waits no more."""


def create_app(resources: Resources, *, background: Background | None = None) -> FastAPI:
    """Make the application. Nothing is read from the environment and nothing connects.

    Args:
        resources: closed when the application ends.
        background: entered at start-up and left at shutdown, before the resources are closed.
    """

    async def hear() -> None:
        # redis-py is imported for it, which would take the CPU that the first answer to a probe waits for.
        await resources.readiness.answered(_UNPROBED_S)
        await resources.changes.run()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        vitals = Vitals(resources.metrics, resources.database)
        tasks = [asyncio.create_task(hear()), asyncio.create_task(vitals.run())]
        if resources.settings.publish_queue:
            queue = QueueMetrics(resources.database, resources.metrics.registry)
            tasks.append(asyncio.create_task(queue.run(asyncio.Event())))
        try:
            async with background(resources) if background else nullcontext():
                yield
        finally:
            for task in tasks:
                task.cancel()
            await resources.close()

    settings = resources.settings
    development = settings.environment == "development"
    traced = (
        []
        if resources.tracing is None
        else [Middleware(TracingMiddleware, tracing=resources.tracing, ignored=operations.PATHS)]
    )
    app = FastAPI(
        title="Tidegate service",
        version="1",
        lifespan=lifespan,
        # The documentation pages load scripts from elsewhere; only a developer wants that.
        docs_url="/docs" if development else None,
        redoc_url=None,
        # FastAPI's own spans would stand beside ours, and its records of failures hold what callers sent.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        middleware=[
            # Outermost first. The id must exist before anything logs; the count must see every answer,
            # so errors and refusals are made further in.
            *traced,
            Middleware(RequestIdMiddleware),
            Middleware(ServedByMiddleware, pod_name=settings.pod_name),
            Middleware(DrainMiddleware, lifecycle=resources.lifecycle),
            Middleware(DeprecationMiddleware, policy=V1),
            Middleware(RateLimitHeadersMiddleware),
            Middleware(MetricsMiddleware, metrics=resources.metrics, ignored=operations.PATHS),
            Middleware(ErrorMiddleware),
            Middleware(
                BodyLimitMiddleware,
                max_bytes=settings.max_body_bytes,
                timeout_s=settings.body_timeout_s,
            ),
        ],
    )
    app.state.resources = resources
    add_error_handlers(app)
    # As they are: `include_router` would have each built a second time, with all its validators, when the
    # first request comes, which is a probe. These also take fewer steps to find at every request.
    for router in _ROUTERS:
        app.router.routes.extend(router.routes)
    complete_document(app)
    return app
