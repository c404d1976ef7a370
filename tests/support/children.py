"""Servers that tests start themselves, as child processes on free ports of 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find_program(name: str, *folders: Path) -> Path | None:
    """The program in one of `folders`, or on PATH.

    Links are left as they are: some programs (Redis) are one file that acts by the name it was called.
    """
    on_path = shutil.which(name)
    candidates = [folder / name for folder in folders]
    candidates += [Path(on_path)] if on_path else []
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def missing(what: str) -> NoReturn:
    """Skip for want of a program; in continuous integration, where it must be there, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


def wait_until(
    true: Callable[[], bool], *, within_s: float = 300, what: str = "the condition", every_s: float = 0.02
) -> None:
    """Look often, give up late: only a broken program gets near the limit."""
    deadline_s = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline_s:
            pytest.fail(f"{what} did not come true in {within_s:g} s")
        time.sleep(every_s)


def answers(port: int) -> bool:
    """Whether something on 127.0.0.1 takes connections on the port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop(
    process: subprocess.Popen[bytes] | subprocess.Popen[str], signal_number: int, *, within_s: float
) -> int:
    """Signal the child and collect it, by force if it must be; its exit status."""
    if process.poll() is None:
        process.send_signal(signal_number)
    try:
        return process.wait(within_s)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
