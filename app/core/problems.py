"""Errors as problem details (RFC 9457): one shape for every failure the service reports."""

from __future__ import annotations

from http import HTTPStatus

import orjson
from starlette.responses import Response
from starlette.types import Scope

from app.core.exceptions import ServiceError

MEDIA_TYPE = "application/problem+json"
_TYPE_PREFIX = "urn:tidegate:problem:"

# Statuses that HTTPStatus names differently from RFC 9110.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


def title_of(status: int) -> str:
    """The status's own phrase, as the title of a problem that says no more than its status."""
    if status in _TITLES:
        return _TITLES[status]
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def problem_response(
    scope: Scope,
    status: int,
    *,
    slug: str | None = None,
    title: str | None = None,
    detail: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
    members: dict[str, str] | None = None,
) -> Response:
    """Build the answer.

    Args:
        scope: the request, for `instance` (its path) and its id.
        slug: makes `type` a URN of our own; without it `type` is about:blank, as RFC 9457 asks of a
            problem that is fully told by its status.
        errors: for validation, each with a JSON `pointer` into the body or the parameter's place.
        members: extension members of this kind of problem (RFC 9457, section 3.2).
    """
    body: dict[str, object] = {
        "type": _TYPE_PREFIX + slug if slug else "about:blank",
        "title": title or title_of(status),
        "status": status,
        "instance": scope.get("path", ""),
    }
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    body.update(members or {})
    request_id = scope.get("state", {}).get("request_id")
    if request_id:
        body["request_id"] = request_id
    # Some statuses may be kept without being asked to (RFC 9111, section 4.2.2); a failure is of its moment.
    headers = {"Cache-Control": "no-store", **(headers or {})}
    return Response(orjson.dumps(body), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def service_error_response(scope: Scope, error: ServiceError) -> Response:
    """The answer for an expected failure."""
    return problem_response(
        scope,
        error.status,
        slug=error.slug,
        title=error.title,
        detail=error.detail,
        headers=error.headers(),
        members=error.members(),
    )
