"""Problem details on the wire (RFC 9457), for the OpenAPI document."""

from typing import Any

from pydantic import Field

from app.core.exceptions import ServiceError
from app.core.problems import MEDIA_TYPE, title_of
from app.schemas.base import ResponseModel


class ProblemItem(ResponseModel):
    """One thing wrong with the request."""

    detail: str
    pointer: str = Field(description="Where: a JSON pointer into the body, or the parameter")


class Problem(ResponseModel):
    """A failed request."""

    type: str = Field(examples=["urn:tidegate:problem:not-found"])
    title: str
    status: int
    instance: str
    detail: str | None = None
    errors: list[ProblemItem] | None = None
    request_id: str | None = None
    error: str | None = Field(default=None, description="OAuth's code of the error, at the token's address")


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: these statuses answer with problem details."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": title_of(status),
            "content": {MEDIA_TYPE: {"schema": schema, "example": _example(status)}},
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status in statuses
    }


def _example(status: int) -> dict[str, object]:
    kinds = [kind for kind in ServiceError.__subclasses__() if kind.status == status]
    # Of several kinds none is the right one for every route.
    only = kinds[0] if len(kinds) == 1 else None
    kind = {"type": only.type_urn(), "title": only.title} if only else {"type": "about:blank"}
    return {"title": title_of(status), **kind, "status": status}


def _header(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": _header("The challenge (RFC 6750)")},
    429: {"Retry-After": _header("Seconds until the next try makes sense")},
    503: {"Retry-After": _header("Seconds until the next try makes sense, where that is known")},
}
