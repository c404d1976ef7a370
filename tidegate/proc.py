"""Run another program and turn its failure into one line."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import TidegateError


@dataclass(frozen=True)
class Completed:
    """What a finished program left."""

    returncode: int
    stdout: str
    stderr: str


def run(
    cmd: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    input: str | None = None,  # noqa: A002 - subprocess's own name
    timeout_s: float | None = None,
    check: bool = True,
) -> Completed:
    """Run `cmd` to its end and return its output as text.

    Args:
        cmd: program and arguments; no shell is involved.
        env: the whole environment of the child; None inherits.
        cwd: working folder of the child.
        input: text for its standard input; without it the input is empty.
        timeout_s: seconds until the child is killed.
        check: whether a non-zero exit raises.

    Raises:
        TidegateError: the program is absent, ran out of time, or failed (with its last line of errors).
    """
    words = [str(word) for word in cmd]
    try:
        done = subprocess.run(
            words,
            env=env,
            cwd=cwd,
            input=input if input is not None else "",
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise TidegateError(f"{words[0]} was not found", cure="run `tidegate doctor`") from error
    except subprocess.TimeoutExpired as error:
        raise TidegateError(f"{' '.join(words[:3])} did not end in {timeout_s:g} s") from error
    if check and done.returncode != 0:
        lines = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
        raise TidegateError(f"{' '.join(words[:4])} failed with exit code {done.returncode}: {lines[-1]}")
    return Completed(done.returncode, done.stdout, done.stderr)
