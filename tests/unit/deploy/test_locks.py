from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pytest

from tidegate.deploy.locks import StackLockedError, alive, await_lock, clear_dead_locks
from tidegate.errors import TidegateError


def lock(backend: Path, content: str, stack: str = "local") -> Path:
    folder = backend / ".pulumi" / "locks" / "organization" / "tidegate" / stack
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "0.json"
    path.write_text(content)
    return path


def holder(pid: int, host: str | None = None) -> str:
    return json.dumps({"pid": pid, "username": "x", "hostname": host or socket.gethostname()})


@pytest.fixture
def dead_pid() -> int:
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def test_a_dead_process_loses_its_lock(tmp_path: Path, dead_pid: int) -> None:
    path = lock(tmp_path, holder(dead_pid))
    assert clear_dead_locks(f"file://{tmp_path}", "local") == [path]
    assert not path.exists()


def test_a_torn_lock_is_removed(tmp_path: Path) -> None:
    path = lock(tmp_path, '{"pid": 1')
    assert clear_dead_locks(f"file://{tmp_path}", "local") == [path]


def test_a_living_process_keeps_its_lock(tmp_path: Path) -> None:
    path = lock(tmp_path, holder(os.getpid()))
    with pytest.raises(TidegateError, match=f"locked by process {os.getpid()}"):
        clear_dead_locks(f"file://{tmp_path}", "local")
    assert path.exists()


def test_a_lock_of_another_machine_is_left(tmp_path: Path, dead_pid: int) -> None:
    path = lock(tmp_path, holder(dead_pid, "elsewhere"))
    with pytest.raises(TidegateError, match="on elsewhere"):
        clear_dead_locks(f"file://{tmp_path}", "local")
    assert path.exists()


def test_other_stacks_and_backends_are_not_touched(tmp_path: Path, dead_pid: int) -> None:
    path = lock(tmp_path, holder(dead_pid), stack="other")
    assert clear_dead_locks(f"file://{tmp_path}", "local") == []
    assert clear_dead_locks("s3://bucket", "other") == []
    assert path.exists()


def test_alive(dead_pid: int) -> None:
    assert alive(os.getpid())
    assert not alive(dead_pid)
    assert not alive(0)


def test_a_holder_that_ends_is_waited_for(tmp_path: Path) -> None:
    holding = subprocess.Popen(["sleep", "600"])
    path = lock(tmp_path, holder(holding.pid))
    told: list[str] = []

    def end_it(words: str) -> None:
        told.append(words)
        holding.kill()
        holding.wait()

    await_lock(f"file://{tmp_path}", "local", end_it, limit_s=600)
    assert not path.exists()
    assert told == [
        f"stack local is locked by process {holding.pid} on {socket.gethostname()}; waiting for it to end"
    ]


def test_waiting_has_an_end(tmp_path: Path) -> None:
    path = lock(tmp_path, holder(os.getpid()))
    with pytest.raises(StackLockedError):
        await_lock(f"file://{tmp_path}", "local", lambda _: None, limit_s=0)
    assert path.exists()


def test_another_machines_lock_is_not_waited_for(tmp_path: Path) -> None:
    lock(tmp_path, holder(1, "elsewhere"))
    told: list[str] = []
    with pytest.raises(StackLockedError, match="on elsewhere"):
        await_lock(f"file://{tmp_path}", "local", told.append, limit_s=600)
    assert told == []
