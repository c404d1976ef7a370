"""Measure the CPU that one web process spends from its start until it is ready: what bounds a scale-up.

`make bench` runs it: the service alone, on SQLite, started repeatedly; prints minimum, median and
maximum as JSON. Wall-clock time is for orientation only, for the machine may be shared.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

REPETITIONS = 7


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """User and system CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def start_once(database: str) -> tuple[float, float]:
    """Start one web process; return CPU and wall seconds until it was ready."""
    port = free_port()
    env = {
        **os.environ,
        "TIDEGATE_ENVIRONMENT": "development",
        "TIDEGATE_DATABASE_URL": database,
        "TIDEGATE_HOST": "127.0.0.1",
        "TIDEGATE_PORT": str(port),
    }
    began_s = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "app"], env=env, stdout=subprocess.DEVNULL)
    try:
        while True:
            if child.poll() is not None:
                raise SystemExit(f"the service ended with {child.returncode}")
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).is_success:
                    return cpu_s(child.pid), time.monotonic() - began_s
            except httpx.HTTPError:
                pass
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(30)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite+aiosqlite:///{folder}/bench.db"
        env = {**os.environ, "TIDEGATE_DATABASE_URL": database, "TIDEGATE_ENVIRONMENT": "development"}
        subprocess.run([sys.executable, "-m", "app.migrate"], env=env, check=True, stdout=subprocess.DEVNULL)
        start_once(database)  # the first one reads the disk
        runs = [start_once(database) for _ in range(REPETITIONS)]
    result = {
        name: {"min": min(values), "median": statistics.median(values), "max": max(values)}
        for name, values in (("cpu_s", [cpu for cpu, _ in runs]), ("wall_s", [wall for _, wall in runs]))
    }
    print(json.dumps({"repetitions": REPETITIONS, "start_to_ready": result}, indent=1))


if __name__ == "__main__":
    main()
