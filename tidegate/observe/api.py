"""Requests to the Kubernetes API."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, cast

import httpx

from tidegate.observe.kubeconfig import ApiAccess
from tidegate.observe.protocol import BrokenError, GoneError, RefusedError

CONNECT_S = 5.0
READ_S = 10.0
FAULTS = (httpx.HTTPError, BrokenError)
"""What may befall a request and pass."""


def api_client(access: ApiAccess) -> httpx.AsyncClient:
    """Return a client of the API server. Proxies of the environment are not for it."""
    return httpx.AsyncClient(
        base_url=access.server,
        verify=access.verify,
        headers={**access.headers, "Accept": "application/json", "User-Agent": "tidegate-observe"},
        timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=8),
        trust_env=False,
    )


def refuse(response: httpx.Response) -> None:
    """Raise for an answer that is not 200.

    Raises:
        GoneError: it is 410.
        RefusedError: it is another; the message has the code.
    """
    if response.status_code == HTTPStatus.GONE:
        raise GoneError("410 Gone")
    if response.status_code != HTTPStatus.OK:
        raise RefusedError(f"HTTP {response.status_code} {response.reason_phrase}".rstrip())


async def get_json(
    client: httpx.AsyncClient, path: str, params: dict[str, str] | None = None
) -> dict[str, Any]:
    """Return the JSON object at `path`.

    Raises:
        GoneError, BrokenError: see `refuse`; also when it is no JSON object.
        httpx.HTTPError: there was no answer.
    """
    response = await client.get(path, params=params)
    refuse(response)
    try:
        body: object = response.json()
    except ValueError as error:
        raise BrokenError(f"{path}: not JSON") from error
    if not isinstance(body, dict):
        raise BrokenError(f"{path}: not an object")
    return cast("dict[str, Any]", body)


def reason(error: Exception) -> str:
    """Return a failure in a few words."""
    text = str(error)
    return text if isinstance(error, BrokenError | GoneError) else f"{type(error).__name__} {text}".rstrip()
