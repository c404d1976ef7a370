"""The keys that sign tokens, named, so that they can be changed while tokens are out."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

MIN_SECRET_BYTES = 32
"""As long as the hash they go into (RFC 7518, section 3.2)."""

_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")


@dataclass(frozen=True)
class KeyRing:
    """Keys by id. A change of keys takes three rollouts: add the new key at the end, move it to the
    front, and, once the last token of the old one has expired, drop the old one. At no moment does a
    process meet a token whose key it does not know."""

    signing_id: str
    secrets: Mapping[str, bytes]

    @classmethod
    def draw(cls) -> KeyRing:
        """One key that nobody else knows: its tokens end with the process."""
        return cls("drawn", {"drawn": secrets.token_bytes(MIN_SECRET_BYTES)})


def parse_keys(text: str) -> KeyRing:
    """Read `id:secret,id:secret`; the first one signs.

    Raises:
        ValueError: not of that form, an id twice, or a secret too short. The text names ids, never secrets.
    """
    found: dict[str, bytes] = {}
    for number, part in enumerate(text.split(","), start=1):
        key_id, separator, secret = part.strip().partition(":")
        if not separator or not _KEY_ID.fullmatch(key_id):
            raise ValueError(f"key {number} is not of the form id:secret")
        if key_id in found:
            raise ValueError(f"key id {key_id} appears twice")
        if len(secret.encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret of key {key_id} has less than {MIN_SECRET_BYTES} bytes")
        found[key_id] = secret.encode()
    return KeyRing(next(iter(found)), found)
