"""Headers as the bytes they are sent as: Starlette's own types decode and search them all for each access."""

from __future__ import annotations

from starlette.types import Message, Scope


def add_header(message: Message, name: bytes, value: bytes) -> None:
    """Put a header into the start of an answer, in place of one that is there by that name.

    Args:
        name: in lower case, as ASGI wants it.
    """
    # A list of its own: an answer may be sent again from where it is kept.
    headers = [item for item in message.get("headers", ()) if item[0] != name]
    headers.append((name, value))
    message["headers"] = headers


def first_header(scope: Scope, name: bytes) -> str:
    """The first header of the request by that lower-case name; empty where there is none."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return ""
