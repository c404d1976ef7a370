"""What routes ask for, by type.

All of it is `async def`: FastAPI runs plain functions in a thread pool, a thread hop for each.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncSession

from app.controllers.orders import OrderController
from app.controllers.products import ProductController
from app.core.exceptions import UnauthenticatedError
from app.resources import Resources
from app.services.auth import AuthService
from app.services.catalogue import CatalogueService
from app.services.orders import OrderService

TOKEN_URL = "/api/v2/auth/token"  # noqa: S105 - an address


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


# Only describes the scheme and takes the token out of the header: its own refusal has no problem body.
_bearer = OAuth2PasswordBearer(TOKEN_URL, auto_error=False)


async def _caller(resources: ResourcesDep, token: Annotated[str | None, Depends(_bearer)]) -> str:
    if token is None:
        raise UnauthenticatedError("an access token is needed", given=False)
    return resources.tokens.account_of(token)


CallerDep = Annotated[str, Depends(_caller)]
"""Id of the account that the request's token speaks for."""


async def _orders(session: SessionDep, resources: ResourcesDep, caller: CallerDep) -> OrderController:
    service = OrderService(session, resources.fraud, resources.queue_age, resources.metrics)
    return OrderController(service, caller)


OrderControllerDep = Annotated[OrderController, Depends(_orders)]
"""Holds for the caller's own orders; asking for it is asking for a token."""


async def _auth(session: SessionDep, resources: ResourcesDep) -> AuthService:
    return AuthService(session, resources.passwords, resources.tokens)


AuthServiceDep = Annotated[AuthService, Depends(_auth)]

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=64,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeat a request with the same key and it takes effect once",
    ),
]

PageLimit = Annotated[int, Query(ge=1, le=100, description="Items on a page")]
PageCursor = Annotated[
    str | None, Query(max_length=256, description="`next_cursor` of the page before; none for the first")
]
