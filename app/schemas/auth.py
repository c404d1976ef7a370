"""Logging in, on the wire (OAuth2 password flow, RFC 6749 section 4.3)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.schemas.base import ResponseModel


class TokenForm(BaseModel):
    """The token request. Members that are not used are let pass, as section 3.2 of the RFC asks."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    grant_type: Literal["password"]
    username: str = Field(min_length=1, max_length=32, pattern=r"^[A-Za-z0-9-]+$", examples=["acct-0001"])
    password: str = Field(
        min_length=1, max_length=128, json_schema_extra={"format": "password"}, examples=["a long password"]
    )


class TokenOut(ResponseModel):
    """An access token and its life."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - a kind, not a token
    expires_in: int = Field(description="Seconds until it is of no use")
