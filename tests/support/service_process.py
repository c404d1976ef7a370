"""The service's processes, as they run in production: started, watched, signalled."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
from support.children import stop, wait_until


class ServiceProcess:
    """`python -m <module>` with only the given settings, in an empty folder; its log lines are kept."""

    def __init__(self, module: str, folder: Path, settings: dict[str, str]) -> None:
        # No variable of the developer's own may leak in, and bytecode may be written: it is what starts.
        unwanted = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH"}
        environment = {
            key: value
            for key, value in os.environ.items()
            if key not in unwanted and not key.startswith("TIDEGATE_")
        }
        environment |= {f"TIDEGATE_{key}": value for key, value in settings.items()}
        self.module = module
        self.lines: list[dict[str, Any]] = []
        self.noise: list[str] = []
        folder.mkdir(parents=True, exist_ok=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            env=environment,
            cwd=folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def event(self, name: str) -> dict[str, Any]:
        """Wait for the log line of this event."""
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = [line for line in list(self.lines) if line.get("event") == name]
            return bool(found) or self._process.poll() is not None

        wait_until(look, what=f"the event {name} of {self.module}")
        assert found, f"{self.module} ended before {name}: {self.noise[-5:]} {self.lines[-5:]}"
        return found[0]

    def client(self) -> httpx.Client:
        """A client for the port the process says it listens on."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.event('serving')['port']}", timeout=300)

    def wait_ready(self) -> httpx.Client:
        """Wait until the web process is ready for requests; a client for it."""
        with self.client() as probe:
            wait_until(lambda: probe.get("/readyz").status_code == 200, what="readiness")
        return self.client()

    def children(self) -> list[int]:
        """Ids of the processes it has started."""
        pid = self._process.pid
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]

    def memory_mb(self, *, peak: bool = False) -> float:
        """Resident memory of the process itself, now or at its highest."""
        wanted = "VmHWM:" if peak else "VmRSS:"
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(wanted))

    def signal(self, number: int = signal.SIGTERM) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def wait(self, *, within_s: float = 300) -> int:
        """The exit status, once it has ended by itself."""
        status = self._process.wait(within_s)
        self._reader.join(10)
        return status

    def close(self) -> None:
        """End it and what it started, if they still run: children would keep its output open."""
        children = self.children() if self._process.poll() is None else []
        stop(self._process, signal.SIGKILL, within_s=10)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        self._reader.join(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                self.lines.append(json.loads(line))
            except json.JSONDecodeError:
                self.noise.append(line.rstrip())
