from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.host.lock import holder, state_lock

HOLD = """
import sys
from pathlib import Path
from tidegate.host.lock import state_lock
with state_lock("up", state=Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


def other_process(state: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def test_names_the_process_and_command_that_hold_it(tmp_path: Path) -> None:
    with other_process(tmp_path) as child:
        with (
            pytest.raises(TidegateError, match=rf"`tidegate up`, pid {child.pid},"),
            state_lock("down", state=tmp_path),
        ):
            pytest.fail("two processes hold the lock")
        child.communicate("\n")
    with state_lock("down", state=tmp_path):
        pass


def test_a_killed_holder_leaves_it_free(tmp_path: Path) -> None:
    with other_process(tmp_path) as child:
        child.kill()
        child.communicate()
    with state_lock("down", state=tmp_path):
        told = holder(tmp_path)
        assert told is not None
        assert told.command == "down"
    assert holder(tmp_path) is None


def test_waits_for_the_other_to_end(tmp_path: Path) -> None:
    with other_process(tmp_path) as child:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
        with state_lock("down", state=tmp_path, wait_s=60):
            pass


def test_a_command_inside_a_command_holds_it_once(tmp_path: Path) -> None:
    with state_lock("prove", state=tmp_path):
        with state_lock("up", state=tmp_path):
            pass
        told = holder(tmp_path)
        assert told is not None
        assert told.command == "prove"
        with pytest.raises(subprocess.CalledProcessError):
            subprocess.run(
                [sys.executable, "-c", HOLD, str(tmp_path)],
                stdin=subprocess.DEVNULL,
                check=True,
                capture_output=True,
            )


def test_programs_started_meanwhile_do_not_hold_it(tmp_path: Path) -> None:
    with state_lock("up", state=tmp_path):
        sleeper = subprocess.Popen(["sleep", "60"])
    try:
        with other_process(tmp_path) as child:
            child.communicate("\n")
        assert child.returncode == 0
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(TidegateError, match=r"cannot be written.*TIDEGATE_STATE"),
        state_lock("up", state=tmp_path / "file"),
    ):
        pytest.fail("held a lock in a file")
