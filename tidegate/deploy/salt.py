"""The salt of a stack's encryption, and why it is not in the file that is committed.

Pulumi writes `encryptionsalt: ...` into `Pulumi.<stack>.yaml`. It belongs to one machine's passphrase: with
it committed, every other machine would be told that its passphrase is wrong. So the kit keeps it beside its
state and hands Pulumi the two together (`--config-file`).
"""

from __future__ import annotations

import json
from typing import cast

_KEY = "encryptionsalt:"


def salt_of(text: str) -> str | None:
    """The salt in the text of a stack's configuration file; None without one."""
    for line in text.splitlines():
        if line.startswith(_KEY):
            return line.removeprefix(_KEY).strip() or None
    return None


def with_salt(text: str, salt: str | None) -> str:
    """The configuration `text` with `salt` in the place of any that it has; as it is where `salt` is None."""
    if salt is None:
        return text
    lines = [line for line in text.splitlines() if not line.startswith(_KEY)]
    return "".join(f"{line}\n" for line in [*lines, f"{_KEY} {salt}"])


def state_salt(exported: str) -> str | None:
    """The salt with which the secrets of a stack's state are encrypted.

    Args:
        exported: what `pulumi stack export` prints.

    Returns:
        None for a stack that holds no state yet, or one encrypted by something else than a passphrase.
    """
    try:
        found: object = json.loads(exported)
    except ValueError:
        return None
    for key in ("deployment", "secrets_providers", "state", "salt"):
        if not isinstance(found, dict):
            return None
        found = cast("dict[str, object]", found).get(key)
    return found if isinstance(found, str) and found else None
