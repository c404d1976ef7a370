"""Programs of a job: their log, their failure in one line, their end."""

from __future__ import annotations

import asyncio
import contextlib
import os
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.images.job import JobContext, telling_line


def context(tmp_path: Path) -> JobContext:
    return JobContext(tmp_path / "log", lambda _text: None)


def test_output_goes_to_the_log_or_to_a_file(tmp_path: Path) -> None:
    async def act() -> None:
        told = context(tmp_path)
        await told.run(["sh", "-c", "echo out; echo err >&2"])
        await told.run(["sh", "-c", "echo apart"], output=tmp_path / "apart")
        (tmp_path / "in").write_text("from a file\n")
        await told.run(["cat"], stdin=tmp_path / "in")

    asyncio.run(act())
    log = (tmp_path / "log").read_text()
    assert "out\nerr\n" in log
    assert "from a file\n" in log
    assert "apart\n" not in log.replace("echo apart\n", "")
    assert (tmp_path / "apart").read_text() == "apart\n"


def test_a_failure_tells_the_line_that_matters_and_the_log(tmp_path: Path) -> None:
    script = "echo old error >&2; echo 'main.go:3: undefined: x' >&2; echo bye; exit 7"

    async def act() -> None:
        told = context(tmp_path)
        told.note("error of an earlier command")
        await told.run(["sh", "-c", script])

    with pytest.raises(
        TidegateError, match=r"ended with code 7: main\.go:3: undefined: x \(.*log\)"
    ) as caught:
        asyncio.run(act())
    assert "\n" not in str(caught.value)


def test_an_absent_program_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="no-such-program was not found"):
        asyncio.run(context(tmp_path).run(["no-such-program"]))


def alive(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    return False


def test_a_cancelled_job_ends_its_program_and_the_programs_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    async def act() -> None:
        script = f"sleep 600 & echo $! > {pids}.new; echo $$ >> {pids}.new; mv {pids}.new {pids}; wait"
        task = asyncio.create_task(context(tmp_path).run(["sh", "-c", script]))
        while not pids.exists():  # noqa: ASYNC110 - a file another process writes
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()

    asyncio.run(act())
    found = [int(line) for line in pids.read_text().split()]
    assert len(found) == 2
    for _ in range(500):
        if not any(alive(pid) for pid in found):
            break
        asyncio.run(asyncio.sleep(0.01))
    assert [pid for pid in found if alive(pid)] == []


def test_a_program_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match=r"sleep 600 did not end in 0\.05 s"):
        asyncio.run(context(tmp_path).run(["sleep", "600"], timeout_s=0.05))


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("go: downloading x\n# pkg\nfile.go:1: cannot use a\n", "file.go:1: cannot use a"),
        (
            "step 1\nE: Unable to locate package nope\nThe command returned a non-zero code: 100\n",
            "E: Unable to",
        ),
        (
            "\x1b[91mpython3: No such file\n\x1b[0mRemoving intermediate container 1\n",
            "python3: No such file",
        ),
        ("first\nlast\n", "last"),
        ("", "no output"),
    ],
)
def test_the_telling_line(tmp_path: Path, log: str, expected: str) -> None:
    (tmp_path / "log").write_text(log)
    assert telling_line(tmp_path / "log").startswith(expected)


def test_a_very_long_line_is_cut(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("error: " + "x" * 5000)
    assert len(telling_line(tmp_path / "log")) == 240
