"""Answers that may be kept: by the caller, by a CDN, and here (RFC 9111)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel

from app.resources import Resources


async def cached_response(
    request: Request,
    resources: Resources,
    *,
    key: str,
    tags: tuple[str, ...],
    produce: Callable[[], Awaitable[BaseModel]],
) -> Response:
    """Answer with what `produce` makes, or made a moment ago; 304 when the caller has it.

    Args:
        key: names the answer; two requests with the same key get the same body.
        tags: what the answer shows; a change of one of them voids it.
    """

    async def body() -> bytes:
        return (await produce()).model_dump_json().encode()

    stored = await resources.responses.fetch(key, tags, body)
    settings = resources.settings
    headers = {
        "ETag": stored.etag,
        "Cache-Control": (
            f"public, max-age={settings.cache_client_s}, s-maxage={settings.cache_cdn_s}, "
            f"stale-while-revalidate={settings.cache_stale_s}"
        ),
        # By these names a CDN is told to drop what a change has made wrong.
        "Surrogate-Key": " ".join(tags),
        "Vary": "Accept-Encoding",
    }
    if _has(request.headers.get("if-none-match"), stored.etag):
        resources.metrics.cached("client", "hit")
        return Response(status_code=304, headers=headers)
    return Response(stored.body, media_type="application/json", headers=headers)


def _has(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller named this version (RFC 9110, section 13.1.2: compared weakly)."""
    if if_none_match is None:
        return False
    named = [item.strip().removeprefix("W/") for item in if_none_match.split(",")]
    return "*" in named or etag in named


NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The caller's copy, named by If-None-Match, is the current one"}
}
"""For a route's `responses`."""


async def private(response: Response) -> None:
    """A route's dependency: its answers are for the caller alone and are kept nowhere."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = "Authorization"
