"""The tiny server as a test uses it: started, asked for its address, and ended for its book."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("tiny_server.py")


class Tiny:
    """A running tiny server."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._process = process
        self.url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        self._told: dict[str, Any] | None = None

    def end(self) -> dict[str, Any]:
        """End the server and return what it did: `count`, `stall_s`, `book`."""
        if self._told is None:
            self._told = json.loads(self._process.communicate()[0])
        assert self._told is not None
        return self._told


@contextmanager
def tiny_server(*stall: float) -> Generator[Tiny]:
    """Run the tiny server; `stall` is when and for how long it stalls, if it does."""
    command = [sys.executable, str(PROGRAM), *map(str, stall)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Tiny(process)
        finally:
            if process.stdin is not None and not process.stdin.closed:
                process.stdin.close()
            if process.poll() is None:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
