from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.host.daemon.processes import process
from tidegate.host.interrupt import child_group, interruptible

STUBBORN = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & wait"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_and_handlers_come_back(number: signal.Signals) -> None:
    # Under nohup the signal would be ignored, and is then left so; here it must not be.
    outside = signal.signal(number, signal.SIG_DFL)
    try:
        with pytest.raises(KeyboardInterrupt, match=number.name), interruptible():
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, outside)


def test_what_was_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def first_line(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def is_gone(pid: int) -> bool:
    """Whether a process ends: a kill is only asked for, and the kernel carries it out when it comes to it."""
    deadline = time.monotonic() + 60
    while process(pid) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_grandchildren_end_with_the_block() -> None:
    with child_group(["sh", "-c", "sleep 600 & echo $!; wait"], stdout=subprocess.PIPE) as child:
        grandchild = int(first_line(child))
        assert process(grandchild) is not None
    assert is_gone(grandchild)
    assert child.returncode == -signal.SIGTERM


def test_the_stubborn_are_killed_on_an_interrupt() -> None:
    started: list[int] = []

    def interrupted() -> None:
        with child_group(["sh", "-c", STUBBORN], stdout=subprocess.PIPE, grace_s=0.2) as child:
            started.append(int(first_line(child)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert is_gone(started[0])


def test_a_program_that_ended_keeps_its_exit_status() -> None:
    with child_group(["sh", "-c", "exit 3"]) as child:
        child.wait()
    assert child.returncode == 3


def test_an_absent_program_is_one_line() -> None:
    with (
        pytest.raises(TidegateError, match="no-such-program was not found"),
        child_group(["no-such-program"]),
    ):
        pytest.fail("it started")


def test_a_terminated_command_takes_its_children_along(tmp_path: Path) -> None:
    """End to end: SIGTERM to the Python process, and nothing of what it started is left."""
    code = """
from tidegate.host.interrupt import child_group, interruptible
try:
    with interruptible(), child_group(["sh", "-c", "sleep 600 & echo $!; wait"], stdout=-1) as child:
        print(child.stdout.readline().strip(), flush=True)
        child.wait()
except KeyboardInterrupt:
    raise SystemExit(130)
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    ) as command:
        grandchild = int(first_line(command))
        command.terminate()
        assert command.wait(timeout=60) == 130
    assert is_gone(grandchild)
