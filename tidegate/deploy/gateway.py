"""Whether the service answers through its gateway."""

from __future__ import annotations

import time

import httpx

from tidegate.errors import TidegateError

PROBE = "/api/v1/products?limit=1"
"""A read that passes gateway, service and database."""

IN_A_ROW = 5
"""Good answers that count as serving: each Envoy learns of the pods by itself, and requests take turns."""


def unanswered(base: str) -> str:
    """Return what is wrong with one request to the service at `base`, or nothing."""
    try:
        answer = httpx.get(f"{base}{PROBE}", timeout=5.0)
    except httpx.HTTPError as error:
        return type(error).__name__
    return "" if answer.is_success else f"status {answer.status_code}"


def await_answers(base: str, *, limit_s: float = 300.0, every_s: float = 0.5) -> None:
    """Return once `IN_A_ROW` requests in a row were answered well.

    Args:
        base: the gateway's URL without a path.
        limit_s: when to give up, seconds.
        every_s: pause after a bad answer, seconds.

    Raises:
        TidegateError: the service did not serve in time.
    """
    deadline = time.monotonic() + limit_s
    good = 0
    while good < IN_A_ROW:
        said = unanswered(base)
        good = 0 if said else good + 1
        if said:
            if time.monotonic() > deadline:
                raise TidegateError(
                    f"the gateway at {base} did not serve within {limit_s:.0f} s: {said}",
                    cure='look at `kubectl get pods -A` after `eval "$(tidegate env)"`',
                )
            time.sleep(every_s)
