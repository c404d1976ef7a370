"""Takes budget for requests: by account, or by address behind trusted proxies."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request

from app.api.dependencies import IdentityDep, resources_of
from app.core.client_address import client_address, limiter_key
from app.core.exceptions import OverloadedError, RateLimitedError
from app.middleware.rate_limit import STATE
from app.resources import Resources
from app.shared.limiter import LimiterClosedError, Use
from app.shared.limits import Limits


async def take(request: Request, resources: Resources, use: Use, key: str) -> None:
    """Take one from the budget `key` holds for the use, and have the answer tell what is left.

    Raises:
        RateLimitedError: nothing is left.
        OverloadedError: nobody knows, and the use allows nothing then.
    """
    if not resources.settings.rate_limits:
        return
    try:
        grant = await resources.limiter.take(use, key)
    except LimiterClosedError:
        raise OverloadedError("this cannot be allowed at the moment", retry_after_s=5) from None
    request.scope.setdefault("state", {})[STATE] = grant.headers()
    if not grant.allowed:
        raise RateLimitedError(
            f"more than {grant.quota} requests in {grant.window_s} s", retry_after_s=grant.reset_s
        )


def address_key(request: Request, resources: Resources) -> str:
    """The caller's address, as the budgets know it."""
    forwarded = ",".join(request.headers.getlist("x-forwarded-for"))
    peer = request.client.host if request.client else None
    return f"address:{limiter_key(client_address(peer, forwarded, resources.settings.proxies))}"


def _by_caller(choose: Callable[[Limits], Use]) -> Callable[..., Awaitable[None]]:
    """A dependency: by account where the token says whose it is, else by address."""

    async def limit(request: Request, identity: IdentityDep) -> None:
        resources = resources_of(request)
        key = f"account:{identity.account_id}" if identity.account_id else address_key(request, resources)
        await take(request, resources, choose(resources.limits), key)

    return limit


async def _operators(request: Request) -> None:
    resources = resources_of(request)
    await take(request, resources, resources.limits.operators, address_key(request, resources))


ReadLimit = Depends(_by_caller(lambda limits: limits.reads))
WriteLimit = Depends(_by_caller(lambda limits: limits.writes))
OperatorLimit = Depends(_operators)
"""For a route's or a router's `dependencies`."""

_Take = Callable[[str], Awaitable[None]]


async def _login(request: Request) -> _Take:
    async def limit(user_name: str) -> None:
        resources = resources_of(request)
        await take(request, resources, resources.limits.logins, f"user:{user_name}")

    return limit


LoginLimitDep = Annotated[_Take, Depends(_login)]
"""To be called with the user name once the form is known: guesses at one account come from anywhere."""
