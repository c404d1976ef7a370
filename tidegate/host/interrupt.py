"""Being interrupted, and taking the programs we started along."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from tidegate.errors import TidegateError

_POLL_S = 0.05


@contextmanager
def interruptible() -> Generator[None]:
    """Make SIGTERM and SIGHUP end the block like Ctrl-C does: by KeyboardInterrupt, with all clean-up.

    A signal that was ignored at the start (`nohup`) stays ignored. Must be entered in the main thread.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        del frame
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def child_group(
    cmd: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdout: int | IO[str] | None = None,
    stderr: int | IO[str] | None = None,
    grace_s: float = 10.0,
) -> Generator[subprocess.Popen[str]]:
    """Run a program beside the block; when the block ends, however, the program and its children end too.

    It gets a session of its own, so a Ctrl-C reaches it only through us: first SIGTERM to the whole group,
    and SIGKILL to what is left after `grace_s`.

    Args:
        cmd: program and arguments; no shell is involved.
        env: its whole environment; None inherits.
        cwd: its working folder.
        stdout: as in `subprocess.Popen`.
        stderr: likewise.
        grace_s: seconds between the two signals.

    Yields:
        the running program. Its standard input is empty.

    Raises:
        TidegateError: there is no such program.
    """
    words = [str(word) for word in cmd]
    try:
        child = subprocess.Popen(
            words,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise TidegateError(f"{words[0]} was not found", cure="run `tidegate doctor`") from error
    try:
        with child:
            try:
                yield child
            finally:
                end_group(child, grace_s=grace_s)
    finally:
        end_group(child, grace_s=0.0)  # a second Ctrl-C may have cut the first one short


def end_group(child: subprocess.Popen[str], *, grace_s: float) -> None:
    """End a program that leads its own process group, and everything in the group."""
    _signal_group(child, signal.SIGTERM)
    deadline_s = time.monotonic() + grace_s
    while _group_lives(child) and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    _signal_group(child, signal.SIGKILL)
    child.wait()


def _signal_group(child: subprocess.Popen[str], number: signal.Signals) -> None:
    if _group_lives(child):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)


def _group_lives(child: subprocess.Popen[str]) -> bool:
    child.poll()  # collects the leader, which would otherwise count as a member for ever
    try:
        os.killpg(child.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # members that changed their user; macOS says so of zombies as well
        return child.returncode is None
    return True
