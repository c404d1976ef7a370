"""Read Kubernetes objects that may lack any field.

The recorder trims them, and the API leaves out what is unset.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast


def dig(value: object, *path: str) -> Any:
    """Return the value at `path` below `value`, or None where the path ends early."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, object]", value).get(key)
    return value


def items(value: object, *path: str) -> list[dict[str, Any]]:
    """Return the list of objects at `path`; empty when there is none."""
    found = dig(value, *path)
    if not isinstance(found, list):
        return []
    return [cast("dict[str, Any]", item) for item in cast("list[object]", found) if isinstance(item, dict)]


def integer(value: object, *path: str) -> int | None:
    """Return the whole number at `path`, or None."""
    found = dig(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def text(value: object, *path: str) -> str:
    """Return the text at `path`, or an empty one."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def moment_s(value: object, *path: str) -> float | None:
    """Return the RFC 3339 time at `path` as unix seconds, or None."""
    try:
        return datetime.fromisoformat(text(value, *path)).timestamp()
    except ValueError:
        return None


def condition(value: object, kind: str) -> dict[str, Any] | None:
    """Return the status condition of type `kind`, or None."""
    return next((found for found in items(value, "status", "conditions") if found.get("type") == kind), None)
