"""The last resort: a process of its own session that lifts a fault when the tool that made it is gone.

Chaos Mesh ends its faults by itself, and a Workflow by its deadline; a Schedule and a stopped node end by
nobody. One of these waits for the fault's expiry, whatever befalls the tool (a SIGKILL too), and is ended
when the tool has lifted the fault itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence


def start_lifter(after_s: float, commands: Sequence[Sequence[str]], env: Mapping[str, str]) -> int:
    """Start it and return its process id.

    Args:
        after_s: seconds from now until it acts.
        commands: what it then runs, one after another; a failure does not keep the next from being run.
        env: the environment of these commands.
    """
    words = [sys.executable, "-I", __file__, str(after_s), json.dumps([list(each) for each in commands])]
    nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1, 2)]
    # A session of its own: neither Ctrl-C nor the end of the terminal reaches it.
    return os.posix_spawn(sys.executable, words, dict(env), setsid=True, file_actions=nothing)


def end_lifter(pid: int) -> None:
    """End it: the fault has been lifted."""
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _main(arguments: Sequence[str]) -> None:
    after_s, commands = float(arguments[0]), json.loads(arguments[1])
    time.sleep(after_s)
    for command in commands:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run(command, check=False, timeout=120)


if __name__ == "__main__":
    _main(sys.argv[1:])
