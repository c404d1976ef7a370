"""Every failure answers with problem details."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app.core.exceptions import ServiceError
from app.core.logging import get_logger
from app.core.problems import problem_response, service_error_response

_log = get_logger(__name__)

# A body of 64 KiB can be wrong in thousands of places and have names that fill it: what is said about it
# stays small, whatever it is.
_MOST_ERRORS = 20
_LONGEST_TEXT = 200


def add_error_handlers(app: FastAPI) -> None:
    """Replace the framework's own bodies."""
    app.add_exception_handler(ServiceError, _service_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(HTTPException, _http_error)


async def _service_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServiceError)  # noqa: S101 - registered for this class only
    if error.status >= 500:
        _log.warning("request_refused", reason=error.slug, path=request.url.path, cause=repr(error.__cause__))
    return service_error_response(request.scope, error)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class only
    return problem_response(
        request.scope,
        error.status_code,
        detail=error.detail if error.status_code == 413 else None,
        headers=dict(error.headers) if error.headers else None,
    )


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class only
    return problem_response(
        request.scope,
        422,
        slug="validation",
        title="The request is not valid",
        errors=[
            {"pointer": _text(_pointer(item["loc"])), "detail": _text(item["msg"])}
            for item in error.errors()[:_MOST_ERRORS]
        ],
    )


def _pointer(location: Sequence[str | int]) -> str:
    """`("body", "lines", 0)` becomes `#/lines/0` (RFC 6901); other places keep their name: `query/limit`."""
    place, *rest = (str(part).replace("~", "~0").replace("/", "~1") for part in location)
    path = "".join(f"/{part}" for part in rest)
    return f"#{path}" if place == "body" else place + path


def _text(value: str) -> str:
    """Cut to length; halves of surrogate pairs, which JSON can bring and UTF-8 cannot carry, are replaced."""
    return value[:_LONGEST_TEXT].encode("utf-8", "replace").decode()
