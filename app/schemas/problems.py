"""Problem details on the wire (RFC 9457), for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from app.core.problems import MEDIA_TYPE
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


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: these statuses answer with problem details."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"description": "Problem details", "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }
