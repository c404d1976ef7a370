"""Logging in; the same in every version of the API."""

from typing import Annotated

from fastapi import APIRouter, Form, Response

from app.api.dependencies import AuthServiceDep, ResourcesDep
from app.api.document import operation_id
from app.api.limits import LoginLimitDep, WriteLimit
from app.schemas.auth import TokenForm, TokenOut
from app.schemas.problems import problem_responses


async def issue_token(
    form: Annotated[TokenForm, Form()],
    response: Response,
    auth: AuthServiceDep,
    resources: ResourcesDep,
    limit: LoginLimitDep,
) -> TokenOut:
    """Trade an account's name and password for an access token (OAuth2 password flow).

    Failures are problem details like everywhere else; a wrong password's has the member `error` that
    OAuth clients look at.
    """
    await limit(form.username)
    token = await auth.log_in(form.username, form.password)
    # RFC 6749, section 5.1.
    response.headers["Cache-Control"] = "no-store"
    return TokenOut(access_token=token, expires_in=resources.tokens.ttl_s)


def _router(version: str, *, deprecated: bool) -> APIRouter:
    made = APIRouter(
        prefix=f"/api/{version}/auth",
        tags=["auth"],
        deprecated=deprecated,
        generate_unique_id_function=operation_id,
    )
    responses = problem_responses(400, 408, 413, 422, 429, 503)
    made.add_api_route(
        "/token", issue_token, methods=["POST"], dependencies=[WriteLimit], responses=responses
    )
    return made


router_v1 = _router("v1", deprecated=True)
router_v2 = _router("v2", deprecated=False)
