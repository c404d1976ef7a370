"""The watch protocol: a stream of JSON lines, each an event (Kubernetes API concepts, "Efficient detection
of changes")."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, cast

EventType = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
_TYPES = frozenset({"ADDED", "MODIFIED", "DELETED", "BOOKMARK"})


class GoneError(Exception):
    """The server no longer has the changes since the asked version: list again."""


class BrokenError(Exception):
    """The stream or an answer is not what the protocol promises: ask again from the last version."""


class RefusedError(BrokenError):
    """The server answered with an error: it may be starting, busy, or not permit it."""


@dataclass(frozen=True)
class WatchEvent:
    """One change. A bookmark carries nothing but a version."""

    type: EventType
    version: str
    object: dict[str, Any]


async def whole_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the lines of a byte stream.

    Raises:
        BrokenError: the stream ended within a line. What there is of it is not given, even if it looks whole.
    """
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
    if rest:
        raise BrokenError("the stream ended within a line")


def parse_event(line: bytes) -> WatchEvent:
    """Return the event of a line.

    Raises:
        GoneError: it says that the asked version is too old.
        BrokenError: it reports another error, or is no event.
    """
    try:
        raw: object = json.loads(line)
    except ValueError as error:
        raise BrokenError("a line is not JSON") from error
    if not isinstance(raw, dict):
        raise BrokenError("a line is not an object")
    event = cast("dict[str, Any]", raw)
    kind, body = event.get("type"), event.get("object")
    if not isinstance(body, dict):
        raise BrokenError(f"an event of type {kind!r} has no object")
    subject = cast("dict[str, Any]", body)
    if kind == "ERROR":
        if subject.get("code") == HTTPStatus.GONE:
            raise GoneError(str(subject.get("message", "410 Gone")))
        raise BrokenError(f"the server reports {subject.get('code')}: {subject.get('message')}")
    if kind not in _TYPES:
        raise BrokenError(f"unknown event type {kind!r}")
    return WatchEvent(cast("EventType", kind), version_of(subject), subject)


def version_of(subject: dict[str, Any]) -> str:
    """Return the resource version of an object or a list.

    Raises:
        BrokenError: it has none.
    """
    metadata = subject.get("metadata")
    version = cast("dict[str, Any]", metadata).get("resourceVersion") if isinstance(metadata, dict) else None
    if not isinstance(version, str) or not version:
        raise BrokenError("an object has no resourceVersion")
    return version
