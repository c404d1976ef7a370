"""A load generator that does not get its CPU, as in a container at its limit: stopped most of the time.

The kernel does the same to a container that has used up its quota, a tenth of a second at a time.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

STOPPED_S = 0.8
RUNS_S = 0.4


@contextmanager
def held_back(_run_dir: Path) -> Generator[None]:
    """Hold back every Locust that this process starts meanwhile; none is left stopped."""
    end = threading.Event()
    thread = threading.Thread(target=_pulse, args=(end,), name="held-back", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


def _pulse(end: threading.Event) -> None:
    while not end.wait(RUNS_S):
        generators = locusts()
        _signal(generators, signal.SIGSTOP)
        try:
            end.wait(STOPPED_S)
        finally:
            _signal(generators, signal.SIGCONT)


def locusts() -> list[int]:
    """Return the process ids of this process's own children that are Locust."""
    return [pid for pid in _children() if b"locust" in _command(pid)]


def _children() -> list[int]:
    found: list[int] = []
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # a thread that has just ended
            found += [int(word) for word in (task / "children").read_text().split()]
    return found


def _command(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
