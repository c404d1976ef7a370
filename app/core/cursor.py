"""Opaque page cursors: callers hand them back and never look inside."""

from __future__ import annotations

import base64
import binascii

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
