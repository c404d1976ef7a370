"""What routes ask for, by type.

All of it is `async def`: FastAPI runs plain functions in a thread pool, a thread hop for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.controllers.orders import OrderController
from app.controllers.products import ProductController
from app.resources import Resources
from app.services.catalogue import CatalogueService
from app.services.orders import OrderService


async def _resources(request: Request) -> Resources:
    return request.app.state.resources


ResourcesDep = Annotated[Resources, Depends(_resources)]


async def _session(resources: ResourcesDep) -> AsyncIterator[AsyncSession]:
    async with resources.database.session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(_session)]


async def _products(session: SessionDep) -> ProductController:
    return ProductController(CatalogueService(session))


ProductControllerDep = Annotated[ProductController, Depends(_products)]


async def _orders(session: SessionDep, resources: ResourcesDep) -> OrderController:
    return OrderController(OrderService(session, resources.fraud, resources.queue_age, resources.metrics))


OrderControllerDep = Annotated[OrderController, Depends(_orders)]

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=64,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeat a request with the same key and it takes effect once",
    ),
]
