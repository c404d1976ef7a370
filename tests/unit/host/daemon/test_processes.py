from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.host.daemon.processes import (
    Process,
    alive,
    arguments,
    descendants,
    end,
    matching,
    parse_stat,
    process,
    spawn_detached,
)


def test_reads_names_with_brackets_and_spaces() -> None:
    fields = " ".join(["S", "1", *["0"] * 17, "4711", "0"])
    assert parse_stat(f"42 (a) b) {fields}") == Process(pid=42, start_ticks=4711, parent=1, state="S")
    assert parse_stat("") is None
    assert parse_stat("42 (short) S 1") is None


def test_a_zombie_has_ended() -> None:
    child = subprocess.Popen(["true"])
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert process(child.pid) is None
    finally:
        child.wait()


def test_another_process_with_the_same_number_is_not_this_one() -> None:
    own = process(os.getpid())
    assert own is not None
    assert alive(own)
    assert not alive(Process(own.pid, own.start_ticks + 1, own.parent, own.state))


def detached(tmp_path: Path, code: str) -> Process:
    pid = spawn_detached([sys.executable, "-c", code], log=tmp_path / "log", env=dict(os.environ))
    found = process(pid)
    assert found is not None
    return found


def test_a_detached_program_has_its_own_session_and_keeps_no_folder_busy(tmp_path: Path) -> None:
    code = (
        "import os, resource, signal, sys\n"
        "soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
        "print(os.getsid(0) == os.getpid(), os.getcwd(), soft == min(hard, 1048576) or hard == -1,\n"
        "      signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, sys.stdin.read() == '')\n"
        "print('err', file=sys.stderr)\n"
    )
    pid = spawn_detached([sys.executable, "-c", code], log=tmp_path / "log", env=dict(os.environ))
    os.waitpid(pid, 0)
    assert sorted((tmp_path / "log").read_text().splitlines()) == ["True / True True True", "err"]
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_ends_politely_and_then_by_force(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    polite = detached(tmp_path, "import time; time.sleep(600)")
    stubborn = detached(
        tmp_path,
        "import pathlib, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(ready)!r}).touch(); time.sleep(600)",
    )
    while not ready.exists():
        assert alive(stubborn)
    assert end([polite, stubborn], grace_s=0.2) == []
    assert not alive(polite)
    assert not alive(stubborn)


def test_finds_a_program_by_its_arguments_only(tmp_path: Path) -> None:
    mark = f"--mark={tmp_path}"
    pid = spawn_detached(["/bin/sleep", "600", mark], log=tmp_path / "log", env=dict(os.environ))
    os.waitpid(pid, 0)  # sleep refuses the mark and ends
    child = subprocess.Popen(["sh", "-c", "read line", mark], stdin=subprocess.PIPE)
    try:
        assert [each.pid for each in matching("sh", lambda words: mark in words)] == [child.pid]
        assert matching("bash", lambda words: mark in words) == []
        assert matching("sh", lambda words: f"{mark}x" in words) == []
        assert arguments(child.pid)[1:] == ["-c", "read line", mark]
    finally:
        child.communicate(b"\n")
    assert arguments(child.pid) == []


def test_descendants_at_any_depth(tmp_path: Path) -> None:
    child = subprocess.Popen(
        ["sh", "-c", "sh -c 'sleep 600 & echo $!; wait' & wait"], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    grandchild = int(child.stdout.readline())
    root = process(child.pid)
    assert root is not None
    below = descendants([root])
    assert grandchild in [each.pid for each in below]
    assert end([*below, root], grace_s=5) == []
    child.stdout.close()
    child.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_a_process_that_has_gone_is_left_alone(number: signal.Signals) -> None:
    assert end([Process(pid=os.getpid(), start_ticks=1, parent=1, state="S")], grace_s=0.1) == []
