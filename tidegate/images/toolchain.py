"""Have the exact Go toolchain ready before the first build."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.images.gotool import WORK_LOCK, go_env, installed_go, interpret_env, work_dir
from tidegate.images.job import JobContext
from tidegate.images.modules import GoCommand
from tidegate.images.store import lock

_SAID = re.compile(r"go version go(\S+)")


def bootstrap_go(unpacked: Path) -> Path:
    """Return the `go` inside the bootstrap wheel's content."""
    return unpacked / "bin" / "go"


async def prepare_toolchain(context: JobContext, go: GoCommand, version: str) -> None:
    """Fetch the toolchain through the module proxy if the `go` at hand is another.

    Raises:
        TidegateError: it cannot be had.
    """
    async with lock(WORK_LOCK, shared=True):
        installed = installed_go()
        if installed is not None:
            go.path = installed
        env = go_env(version)
        context.note(f"{go.path} {interpret_env(env)}")
        # One for each command: another may ask at the same time, and must not empty it while this one reads.
        answer = work_dir() / f"version-{os.getpid()}.txt"
        await context.run([go.path, "version"], env=env, output=answer)
        words = answer.read_text().strip()
        answer.unlink()
        said = _SAID.search(words)
        if said is None or said[1] != version:
            raise TidegateError(
                f"go {version} is needed and {words or 'nothing'} answers",
                cure="let Go fetch its toolchain (GOPROXY), or install that release",
            )
