"""One command at a time may change what a state folder holds."""

from __future__ import annotations

import fcntl
import json
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from pydantic import BaseModel, ValidationError

from tidegate.errors import TidegateError
from tidegate.host.paths import state_dir

_POLL_S = 0.2
_held: dict[Path, int] = {}
_guard = threading.Lock()


class Holder(BaseModel):
    """Who holds the lock, as the lock's file tells it."""

    pid: int
    command: str
    since_s: float


@contextmanager
def state_lock(command: str, *, state: Path | None = None, wait_s: float = 0.0) -> Generator[None]:
    """Hold the state folder's lock while the block runs.

    The kernel releases it with the process, however that ends. A command that runs another one inside the
    same process holds it once. Programs started meanwhile do not inherit it.

    Args:
        command: the command's name, told to whoever is refused.
        state: the state folder; the user's by default.
        wait_s: seconds to wait for another holder before giving up.

    Raises:
        TidegateError: another process holds it (its number and command are named), or the folder cannot be
            written.
    """
    path = (state or state_dir()).resolve() / "lock"
    with _guard:
        nested = path in _held
        if nested:
            _held[path] += 1
    if nested:
        try:
            yield
        finally:
            with _guard:
                _held[path] -= 1
        return
    handle = _open(path)
    try:
        _take(handle, path, wait_s)
        holder = Holder(pid=os.getpid(), command=command, since_s=time.time())
        _write(handle, holder.model_dump_json() + "\n")
        with _guard:
            _held[path] = 1
        try:
            yield
        finally:
            with _guard:
                del _held[path]
            _write(handle, "")
    finally:
        handle.close()


def holder(state: Path | None = None) -> Holder | None:
    """Who was the last to write itself into the lock and has not left; None if nobody."""
    try:
        text = ((state or state_dir()).resolve() / "lock").read_text(encoding="utf-8")
        return Holder.model_validate(json.loads(text)) if text.strip() else None
    except (OSError, ValueError, ValidationError):
        return None


def _open(path: Path) -> TextIOWrapper:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The file stays when the lock is released: removing it would let two commands hold two locks.
        return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
    except OSError as error:
        raise TidegateError(
            f"the state folder cannot be written: {error.strerror}",
            where=str(path.parent),
            cure="set TIDEGATE_STATE to a folder of yours",
        ) from error


def _take(handle: TextIOWrapper, path: Path, wait_s: float) -> None:
    deadline_s = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() < deadline_s:
                time.sleep(_POLL_S)
                continue
            other = holder(path.parent)
            who = f"`tidegate {other.command}`, pid {other.pid}," if other else "another tidegate command"
            raise TidegateError(
                f"{who} is changing the same state", where=str(path.parent), cure="wait until it has ended"
            ) from error
        else:
            return


def _write(handle: TextIOWrapper, text: str) -> None:
    handle.seek(0)
    handle.truncate()
    handle.write(text)
    handle.flush()
