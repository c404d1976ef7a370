"""A real Redis of the test's own."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from support.children import answers, find_program, free_port, missing, stop, wait_until


class RedisServer:
    """One server on one port for the whole test; it may be killed and started again, and keeps nothing."""

    def __init__(self, folder: Path) -> None:
        program = find_program("redis-server")
        if program is None:
            missing("redis-server")
        self._program = program
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        command = [str(self._program), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(self._folder), "--daemonize", "no"]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(lambda: answers(self.port), what="Redis")

    def hang(self) -> None:
        """Stop it without a word: connections stay, and nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        """Let it go on where it stopped."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it without a word, and all it held."""
        if self._process is not None:
            stop(self._process, signal.SIGKILL, within_s=10)
            self._process = None
