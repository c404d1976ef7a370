"""Processes as /proc shows them: which are ours, whether they live, and how they end."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_POLL_S = 0.05
_KILL_S = 20.0
"""A killed process is gone when the kernel has freed what it held, which takes longer under load."""
_NOFILE_MAX = 1_048_576
"""More open files than this only slows programs that walk all descriptors."""

_LAUNCH = 'cd / && ulimit -Sn "$0" && exec "$@"'
"""Keeps no working folder busy, and raises the soft limit of open files that containers inherit."""


@dataclass(frozen=True)
class Process:
    """One process, told apart from a later one with the same number by its start time."""

    pid: int
    start_ticks: int
    parent: int
    state: str


def parse_stat(text: str) -> Process | None:
    """The process from the text of `/proc/<pid>/stat`; its name may hold spaces and brackets (proc(5))."""
    head, _, tail = text.rpartition(")")
    fields = tail.split()
    pid = head.split(" ", 1)[0]
    if len(fields) < 20 or not pid.isdigit():
        return None
    return Process(pid=int(pid), start_ticks=int(fields[19]), parent=int(fields[1]), state=fields[0])


def process(pid: int) -> Process | None:
    """The process with this number, or None if there is none or it has ended (a zombie counts as ended)."""
    try:
        found = parse_stat((PROC / str(pid) / "stat").read_text(errors="replace"))
    except OSError:
        return None
    return None if found is None or found.state in "ZX" else found


def alive(which: Process) -> bool:
    """Whether this very process still runs. A child of ours that has ended is collected."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(which.pid, os.WNOHANG)
    now = process(which.pid)
    return now is not None and now.start_ticks == which.start_ticks


def processes() -> list[Process]:
    """All processes that can be seen."""
    found = (process(int(entry.name)) for entry in PROC.iterdir() if entry.name.isdigit())
    return [each for each in found if each is not None]


def arguments(pid: int) -> list[str]:
    """The command line, empty if the process has gone or is the kernel's."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(part) for part in raw.split(b"\0") if part]


def namespace(pid: int | str, kind: str) -> str | None:
    """Identity of the namespace ("net", "pid", ...) a process lives in; None where it may not be read."""
    try:
        return str((PROC / str(pid) / "ns" / kind).readlink())
    except OSError:
        return None


def matching(program: str, wanted: Callable[[Sequence[str]], bool]) -> list[Process]:
    """Processes of this machine (not of a container) that run `program` with arguments `wanted` accepts."""
    own = namespace("self", "pid")
    found: list[Process] = []
    for each in processes():
        words = arguments(each.pid)
        if not words or Path(words[0]).name != program or not wanted(words[1:]):
            continue
        if namespace(each.pid, "pid") in (own, None):
            found.append(each)
    return found


def descendants(roots: Iterable[Process]) -> list[Process]:
    """All children of the given processes, at any depth, parents first."""
    children: dict[int, list[Process]] = {}
    for each in processes():
        children.setdefault(each.parent, []).append(each)
    queue = [each.pid for each in roots]
    found: list[Process] = []
    while queue:
        below = children.get(queue.pop(0), [])
        found.extend(below)
        queue.extend(each.pid for each in below)
    return found


def send(which: Process, number: signal.Signals) -> None:
    """Signal this very process; one that has ended is left alone."""
    if alive(which):
        with contextlib.suppress(ProcessLookupError):
            os.kill(which.pid, number)


def wait_ended(which: Iterable[Process], timeout_s: float) -> list[Process]:
    """Wait until the processes have ended; the ones that had not after `timeout_s` are returned."""
    left = list(which)
    deadline_s = time.monotonic() + timeout_s
    while left := [each for each in left if alive(each)]:
        if time.monotonic() >= deadline_s:
            return left
        time.sleep(_POLL_S)
    return []


def end(which: Iterable[Process], *, grace_s: float) -> list[Process]:
    """Ask the processes to end, and kill the ones that have not after `grace_s`.

    Returns:
        what outlived even that: processes stuck in the kernel.
    """
    asked = list(which)
    for each in asked:
        send(each, signal.SIGTERM)
    stubborn = wait_ended(asked, grace_s)
    for each in stubborn:
        send(each, signal.SIGKILL)
    return wait_ended(stubborn, _KILL_S)


def spawn_detached(argv: Sequence[str], *, log: Path, env: Mapping[str, str]) -> int:
    """Start a program that outlives us: own session, no terminal, output appended to `log`.

    Returns:
        its process number.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _NOFILE_MAX if hard == resource.RLIM_INFINITY else min(hard, _NOFILE_MAX)
    ignored_here = (signal.SIGPIPE, signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
    return os.posix_spawn(
        "/bin/sh",
        ["/bin/sh", "-c", _LAUNCH, str(files), *argv],
        dict(env),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=(),
        setsigdef=ignored_here,
    )
