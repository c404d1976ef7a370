"""The processes that are measured: started on their core, waited for, stopped with all they started."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from bench.machine import session_cpu_s, session_pids
from tidegate.errors import TidegateError
from tidegate.host.paths import project_root

READY_S = 240.0
"""Long, for the machine may be busy; nothing waits so long in a measurement that counts."""


_LEAST = 19


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def service_environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with only these settings of the service, named without their prefix.

    Bytecode may be written, for it is what starts in production.
    """
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("TIDEGATE_") and key != "PYTHONDONTWRITEBYTECODE"
    }
    return kept | {f"TIDEGATE_{key}": value for key, value in settings.items()}


class Process:
    """A program in a session of its own.

    Args:
        name: for messages and the name of its log.
        command: the program and its arguments.
        cores: where it and its children may run.
        folder: where it runs and its output is kept.
        environment: all its variables; this process's by default.
        gives_way: whether it gets a core only when nothing else wants it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        cores: Sequence[int],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        gives_way: bool = False,
    ) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        words = ["taskset", "-c", ",".join(map(str, sorted(set(cores)))), *command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                words, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        self.pid = self._process.pid
        if gives_way:
            os.setpriority(os.PRIO_PROCESS, self.pid, _LEAST)
            # Where sessions are scheduled as groups, it is the group's share that counts.
            with contextlib.suppress(OSError):
                Path(f"/proc/{self.pid}/autogroup").write_text(str(_LEAST))

    def wait_http(self, url: str) -> None:
        """Return once `url` is answered with success.

        Raises:
            TidegateError: the process ended, or gave no such answer in `READY_S`.
        """

        def answered() -> bool:
            try:
                return httpx.get(url, timeout=5).is_success
            except httpx.HTTPError:
                return False

        self.wait_for(answered, f"an answer at {url}")

    def wait_for(self, true: Callable[[], bool], what: str) -> None:
        """Return once `true()`; see `wait_http`."""
        deadline_s = time.monotonic() + READY_S
        while not true():
            if self._process.poll() is not None:
                raise TidegateError(
                    f"{self.name} ended with {self._process.returncode}: {self._last_words()}",
                    where=str(self.log),
                )
            if time.monotonic() > deadline_s:
                raise TidegateError(
                    f"{self.name}: no {what} in {READY_S:.0f} s: {self._last_words()}", where=str(self.log)
                )
            time.sleep(0.02)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def cpu_s(self) -> float:
        """CPU seconds of it and its living children."""
        return session_cpu_s(self.pid)

    def kill(self) -> None:
        """SIGKILL it and everything it started, at once."""
        for pid in session_pids(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM, and SIGKILL for what is left after 5 s."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(5)
        self.kill()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _last_words(self) -> str:
        return " ".join(self.log.read_text(errors="replace").strip().splitlines()[-3:])[-400:]


def service(
    name: str,
    module: str,
    settings: Mapping[str, str],
    *,
    cores: Sequence[int],
    folder: Path,
    python: Path = Path(sys.executable),
    gives_way: bool = False,
) -> Process:
    """`python -m <module>` of the service, with only these settings."""
    environment = service_environment({"DRAIN_S": "0.1", "GRACEFUL_TIMEOUT_S": "2"} | dict(settings))
    environment["PYTHONPATH"] = str(project_root())
    command = [str(python), "-m", module]
    return Process(name, command, cores=cores, folder=folder, environment=environment, gives_way=gives_way)
