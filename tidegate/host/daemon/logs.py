"""The one line of an engine's log that says why it failed."""

from __future__ import annotations

import re
from pathlib import Path

_FIELD = re.compile(r'level=(?P<level>\w+) msg="(?P<msg>(?:[^"\\]|\\.)*)"')
_FINAL = ("failed to start daemon", "unable to configure the docker daemon", "failed to load listeners")
_ROTATE_BYTES = 8_000_000
_TAIL_BYTES = 200_000


def telling_line(text: str) -> str:
    """What an engine said before it gave up, from the log's text; empty for an empty log.

    In this order: dockerd's closing sentence, the last fatal entry, the last line that is no log entry
    (a flag or configuration error is printed bare), the last error, the last line.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    bare = [line for line in lines if not line.startswith("time=")]
    for line in reversed(bare):
        if line.lower().startswith(_FINAL):
            return line
    entries = [(match["level"], _unquote(match["msg"])) for match in map(_FIELD.search, lines) if match]
    fatal = [message for level, message in entries if level == "fatal"]
    errors = [message for level, message in entries if level in ("error", "panic")]
    for found in (fatal, bare, errors, lines):
        if found:
            return found[-1]
    return ""


def _unquote(message: str) -> str:
    return re.sub(r"\\(.)", r"\1", message)


def read_since(log: Path, offset: int) -> str:
    """The log's text behind `offset` bytes (at most the last 200 kB of it); empty if there is no log."""
    try:
        with log.open("rb") as handle:
            end = handle.seek(0, 2)
            handle.seek(max(offset, end - _TAIL_BYTES))
            return handle.read().decode(errors="replace")
    except OSError:
        return ""


def begin_log(log: Path) -> int:
    """Set an overlong log aside as `<name>.1`, and return the size in bytes of what is there already."""
    try:
        size = log.stat().st_size
    except OSError:
        return 0
    if size < _ROTATE_BYTES:
        return size
    log.replace(log.with_name(log.name + ".1"))
    return 0
