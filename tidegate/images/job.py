"""One piece of work of a build, and how it runs programs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tidegate.errors import TidegateError
from tidegate.host.orphan import end_with_parent
from tidegate.host.paths import cache_dir

Resource = Literal["cpu", "net", "engine"]
"""What a job mostly needs: it bounds how many of a kind run at once."""

_TELLING = re.compile(
    r"\berror\b|\bfail(ed|ure)?\b|cannot|could not|not found|no such|denied|forbidden|mismatch|undefined"
    r"|missing|no space|unable|timed? ?out|^E:|^FAIL",
    re.IGNORECASE,
)
_NOISE = re.compile(r"^(go: downloading|#|\s*$)|non-zero code|^note:|^(Removing intermediate|--->)")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TELLING_CHARACTERS = 240
_GRACE_S = 5.0


@dataclass(frozen=True)
class Job:
    """One piece of work.

    Args:
        id: unique name, as `go:kubernetes`.
        title: what a person reads.
        resource: what it mostly needs.
        action: does the work; raises TidegateError when it fails.
        seconds: what it is expected to take on two cores.
        needs: ids of jobs that must have ended well before.
        work_mb: scratch space it fills.
        result_mb: what it leaves in the cache.
        image_mb: what it leaves in the engine.
    """

    id: str
    title: str
    resource: Resource
    action: Callable[[JobContext], Awaitable[None]]
    seconds: float = 1.0
    needs: frozenset[str] = field(default_factory=frozenset[str])
    work_mb: int = 0
    result_mb: int = 0
    image_mb: int = 0


class JobContext:
    """What an action may use: its log, and programs whose output goes there.

    Args:
        log: file to write.
        say: shows a detail of what is going on.
    """

    def __init__(self, log: Path, say: Callable[[str], None]) -> None:
        self.log = log
        self.say = say

    def note(self, text: str) -> None:
        """Write a line to the log."""
        with self.log.open("a") as file:
            file.write(f"# {text}\n")

    async def run(
        self,
        cmd: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: Path | None = None,
        output: Path | None = None,
        timeout_s: float | None = None,
    ) -> None:
        """Run a program to its end, in a process group of its own that ends with the job.

        Args:
            cmd: program and arguments.
            env: its whole environment; None inherits.
            cwd: its working folder.
            stdin: file for its standard input; without it the input is empty.
            output: file for its standard output; without it that goes to the log.
            timeout_s: seconds until it is ended.

        Raises:
            TidegateError: it is absent, failed, or took too long; the log's telling line is given.
        """
        words = [str(word) for word in cmd]
        with contextlib.ExitStack() as files:
            log = files.enter_context(self.log.open("ab"))
            log.write(f"$ {' '.join(words)}\n".encode())
            log.flush()
            began = log.tell()
            try:
                process = await asyncio.create_subprocess_exec(
                    *words,
                    env=dict(env) if env is not None else None,
                    cwd=cwd,
                    stdin=files.enter_context((stdin or Path(os.devnull)).open("rb")),
                    stdout=files.enter_context(output.open("wb")) if output else log,
                    stderr=log,
                    start_new_session=True,
                    preexec_fn=end_with_parent(signal.SIGTERM),
                )
            except FileNotFoundError as error:
                raise TidegateError(f"{words[0]} was not found", cure="run `tidegate doctor`") from error
            try:
                code = await asyncio.wait_for(process.wait(), timeout_s)
            except TimeoutError as error:
                raise TidegateError(
                    f"{' '.join(words[:3])} did not end in {timeout_s:g} s", where=str(self.log)
                ) from error
            finally:
                await _end_group(process)
        if code != 0:
            raise TidegateError(
                f"{' '.join(words[:3])} ended with code {code}: {telling_line(self.log, began)}",
                where=str(self.log),
            )


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """End the process and its children: politely, then for good. A group that is gone already is fine."""
    if process.returncode is None:
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), _GRACE_S)
    _signal(process.pid, signal.SIGKILL)
    if process.returncode is None:
        await process.wait()


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def telling_line(log: Path, began: int = 0) -> str:
    """Return the line of a log that best tells why a program failed.

    That is the last one that sounds like a failure, or else the last one at all.

    Args:
        log: the file.
        began: offset in bytes where the failed program's output begins.
    """
    with log.open("rb") as file:
        file.seek(began)
        text = file.read().decode(errors="replace")
    plain = (_COLOUR.sub("", line).strip() for line in text.splitlines())
    lines = [line for line in plain if not _NOISE.search(line)]
    telling = [line for line in lines if _TELLING.search(line)]
    chosen = (telling or lines or ["no output"])[-1]
    return chosen if len(chosen) <= _TELLING_CHARACTERS else chosen[: _TELLING_CHARACTERS - 3] + "..."


def log_path(job_id: str) -> Path:
    """Return the log of a job; it is emptied when the job starts."""
    folder = cache_dir() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{job_id.replace(':', '-').replace('/', '-')}.log"
