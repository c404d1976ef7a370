"""What routes ask for, by type.

All of it is `async def`: FastAPI runs plain functions in a thread pool, a thread hop for each. And it is
flat: at the start FastAPI takes each function apart again for every route that comes to it, and at every
request it calls them one by one, so what needs the resources takes them from the request.
"""

import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncSession

from app.controllers.orders import OrderController
from app.controllers.products import ProductController
from app.core.exceptions import NotFoundError, UnauthenticatedError
from app.resources import Resources
from app.services.auth import AuthService
from app.services.catalogue import CatalogueService
from app.services.orders import OrderService

TOKEN_URL = "/api/v2/auth/token"  # noqa: S105 - an address


def resources_of(request: Request) -> Resources:
    """What the application that serves the request holds."""
    return request.app.state.resources


async def _resources(request: Request) -> Resources:
    return resources_of(request)


ResourcesDep = Annotated[Resources, Depends(_resources)]


async def _session(request: Request) -> AsyncIterator[AsyncSession]:
    async with resources_of(request).database.session() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(_session)]


async def _products(request: Request) -> ProductController:
    resources = resources_of(request)
    return ProductController(CatalogueService(resources.database, resources.queries, resources.changes))


ProductControllerDep = Annotated[ProductController, Depends(_products)]


# Only describes the scheme and takes the token out of the header: its own refusal has no problem body.
_bearer = OAuth2PasswordBearer(TOKEN_URL, auto_error=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose the request's token is: an account's, or why it is nobody's."""

    account_id: str | None
    error: UnauthenticatedError | None


async def _identity(request: Request, token: Annotated[str | None, Depends(_bearer)]) -> Identity:
    if token is None:
        return Identity(None, UnauthenticatedError("an access token is needed", given=False))
    try:
        return Identity(resources_of(request).tokens.account_of(token), None)
    except UnauthenticatedError as error:
        return Identity(None, error)


IdentityDep = Annotated[Identity, Depends(_identity)]
"""Found out once a request; for what asks for a token and for what only wants to know."""


def _account_id(identity: Identity) -> str:
    if identity.account_id is None:
        raise identity.error or UnauthenticatedError("an access token is needed", given=False)
    return identity.account_id


async def _caller(identity: IdentityDep) -> str:
    return _account_id(identity)


CallerDep = Annotated[str, Depends(_caller)]
"""Id of the account that the request's token speaks for."""


async def _orders(request: Request, session: SessionDep, identity: IdentityDep) -> OrderController:
    resources = resources_of(request)
    service = OrderService(session, resources.fraud, resources.queue_age, resources.metrics)
    return OrderController(service, _account_id(identity))


OrderControllerDep = Annotated[OrderController, Depends(_orders)]
"""Holds for the caller's own orders; asking for it is asking for a token."""


_operator_bearer = HTTPBearer(auto_error=False, scheme_name="Operator", description="The operators' token")


async def _operator(
    request: Request,
    given: Annotated[HTTPAuthorizationCredentials | None, Depends(_operator_bearer)],
) -> None:
    token = resources_of(request).settings.operator_token
    if token is None:
        raise NotFoundError("operators' routes are closed: no operator token is set")
    if given is None:
        raise UnauthenticatedError("the operators' token is needed", given=False)
    if not hmac.compare_digest(given.credentials.encode(), token.get_secret_value().encode()):
        raise UnauthenticatedError("this is not the operators' token", given=True)


OperatorOnly = Depends(_operator)
"""For a route's `dependencies`: the caller must be an operator."""


async def _auth(request: Request, session: SessionDep) -> AuthService:
    resources = resources_of(request)
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

ProductId = Annotated[int, Path(alias="id", ge=1, le=2**31 - 1)]
