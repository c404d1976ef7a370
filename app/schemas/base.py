"""How bodies are read and written."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class RequestModel(BaseModel):
    """A body from a caller: unknown members are refused, for they are mostly misspelt ones."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseModel(BaseModel):
    """A body to a caller, read off any object with the same attributes.

    Its validator, and those of the routes that answer with it, are built when the first answer needs them:
    some are for the OpenAPI document alone.
    """

    model_config = ConfigDict(from_attributes=True, frozen=True, defer_build=True)
