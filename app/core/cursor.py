"""Opaque page cursors: callers hand them back and never look inside."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, cast

import orjson

from app.core.exceptions import InvalidCursorError

_VERSION = "p1:"
_LARGEST_ID = 2**31 - 1


def encode_cursor(last_id: int) -> str:
    """Name the place after `last_id`, in characters a URL needs no escaping for."""
    return base64.urlsafe_b64encode(f"{_VERSION}{last_id}".encode()).rstrip(b"=").decode()


def decode_cursor(cursor: str) -> int:
    """The id the page begins after.

    Raises:
        InvalidCursorError: the text is not one `encode_cursor` makes.
    """
    try:
        raw = cursor.encode("ascii")
        text = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True).decode("ascii")
        last_id = int(text.removeprefix(_VERSION))
    except (ValueError, binascii.Error):
        raise InvalidCursorError("the cursor is not one this service gave out") from None
    # Encoding again refuses every other spelling of a number: signs, spaces, underscores, leading zeros.
    if not 0 <= last_id <= _LARGEST_ID or encode_cursor(last_id) != cursor:
        raise InvalidCursorError("the cursor is not one this service gave out")
    return last_id


def encode_position(kind: str, values: Sequence[str | int]) -> str:
    """Name the place after the row with these sort values, in the listing called `kind`.

    The kind goes into the cursor, so that one listing's cursor is refused by another: the same values
    would mean another place there.
    """
    return base64.urlsafe_b64encode(orjson.dumps([kind, *values])).rstrip(b"=").decode()


def decode_position(cursor: str, kind: str, types: Sequence[type]) -> list[Any]:
    """The sort values of the row that the page begins after.

    Raises:
        InvalidCursorError: the text is not one `encode_position` makes for this kind.
    """
    try:
        raw = cursor.encode("ascii")
        found = orjson.loads(base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error):
        found = None
    values = cast("list[Any]", found) if isinstance(found, list) else []
    wanted = [str, *types]
    # `type() is`: True is an int to isinstance, and must not be one here.
    fits = len(values) == len(wanted) and all(
        type(value) is kind for value, kind in zip(values, wanted, strict=True)
    )
    if not fits or values[0] != kind or encode_position(kind, values[1:]) != cursor:
        raise InvalidCursorError("the cursor is not one this service gave out for this listing")
    return values[1:]
