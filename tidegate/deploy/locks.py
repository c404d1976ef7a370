"""Locks of Pulumi's file backend: a killed Pulumi leaves its lock behind, and every later run refuses."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlparse

from tidegate.errors import TidegateError

_POLL_S = 0.5


class StackLockedError(TidegateError):
    """A Pulumi operation holds the stack.

    Args:
        stack: its name.
        pid: the process that holds it.
        host: the machine it runs on.
        path: the lock's file.
    """

    def __init__(self, stack: str, pid: int, host: str, path: Path) -> None:
        super().__init__(
            f"stack {stack} is locked by process {pid} on {host}",
            where=str(path),
            cure="let it end, or run `pulumi cancel` if it is gone",
        )
        self.is_here = host == socket.gethostname()


def clear_dead_locks(backend: str, stack: str) -> list[Path]:
    """Remove locks of `stack` whose process is gone; refuse when one is alive.

    A lock is a JSON file `<backend>/.pulumi/locks/organization/<project>/<stack>/<id>.json` with `pid`
    and `hostname` (pulumi/pkg/backend/diy/lock.go).

    Args:
        backend: Pulumi backend URL. Other than `file://` nothing is done: Pulumi's own rules hold there.
        stack: stack name.

    Returns:
        The lock files that were removed.

    Raises:
        StackLockedError: a living process of this machine, or one of another machine, holds the stack.
    """
    address = urlparse(backend)
    if address.scheme != "file":
        return []
    removed: list[Path] = []
    root = Path(unquote(address.path)).expanduser() / ".pulumi" / "locks"
    for path in root.glob(f"**/{stack}/*.json"):
        try:
            holder = json.loads(path.read_text())
            pid, host = int(holder["pid"]), str(holder["hostname"])
        except (OSError, ValueError, KeyError, TypeError):
            pid, host = 0, socket.gethostname()  # torn by the same kill: nobody can hold it
        if host != socket.gethostname() or alive(pid):
            raise StackLockedError(stack, pid, host, path)
        path.unlink(missing_ok=True)
        removed.append(path)
    return removed


def await_lock(backend: str, stack: str, say: Callable[[str], None], *, limit_s: float) -> None:
    """Remove dead locks, and wait for a living holder to end.

    Args:
        backend: Pulumi backend URL, as for `clear_dead_locks`.
        stack: stack name.
        say: takes what is waited for.
        limit_s: seconds to wait.

    Raises:
        StackLockedError: the stack is still held after `limit_s`, or by another machine, whose processes
            cannot be seen ending.
    """
    deadline = time.monotonic() + limit_s
    while True:
        try:
            clear_dead_locks(backend, stack)
        except StackLockedError as error:
            if time.monotonic() > deadline or not error.is_here:
                raise
            say(f"{error.what}; waiting for it to end")
            time.sleep(_POLL_S)
        else:
            return


def alive(pid: int) -> bool:
    """Whether a process with this id exists on this machine."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
