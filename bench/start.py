"""Measure the CPU that one web process spends from its start until it is ready: what bounds a scale-up.

`make bench` runs it: the service alone, on SQLite, with the packages and the bytecode that its image holds
and no others, started repeatedly; prints minimum, median and maximum as JSON. Wall-clock time is for
orientation only, for the machine may be shared.

    python bench/start.py --against <another checkout>

starts the two in turn and adds the ratio of this one to the other, which a shared machine disturbs less than
either figure.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

REPETITIONS = 7
ROOT = Path(__file__).parents[1]


def cpu_s(pid: int) -> float:
    """User and system CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Subject:
    """One checkout of the service, with its packages and its bytecode in a folder of their own."""

    def __init__(self, source: Path, folder: Path) -> None:
        folder.mkdir()
        self._source = source
        self._database = f"sqlite+aiosqlite:///{folder}/bench.db"
        environment = folder / "venv"
        # The developers' environment has packages that libraries import when they find them.
        subprocess.run(
            ["uv", "sync", "-q", "--frozen", "--no-default-groups", "--only-group", "service"],
            cwd=source,
            env={**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment), "VIRTUAL_ENV": str(environment)},
            check=True,
        )
        self._python = environment / "bin/python"
        # Bytecode is made by the first start and read by the others, as the image brings it ready made.
        self._bytecode = folder / "bytecode"
        subprocess.run(
            [self._python, "-m", "app.migrate"],
            cwd=source,
            env=self._env(),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self.start()

    def _env(self, **more: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return {
            **inherited,
            "PYTHONPYCACHEPREFIX": str(self._bytecode),
            "TIDEGATE_ENVIRONMENT": "development",
            "TIDEGATE_DATABASE_URL": self._database,
            **more,
        }

    def start(self) -> tuple[float, float]:
        """Start one web process; CPU and wall seconds until it was ready."""
        env = self._env(TIDEGATE_HOST="127.0.0.1", TIDEGATE_PORT="0", TIDEGATE_LOG_FORMAT="json")
        began_s = time.monotonic()
        child = subprocess.Popen(
            [self._python, "-m", "app"], cwd=self._source, env=env, stdout=subprocess.PIPE, text=True
        )
        try:
            port = self._port(child)
            while True:
                try:
                    if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=2).is_success:
                        return cpu_s(child.pid), time.monotonic() - began_s
                except httpx.HTTPError:
                    pass
                time.sleep(0.02)
        finally:
            child.send_signal(signal.SIGTERM)
            child.communicate(timeout=30)

    def _port(self, child: subprocess.Popen[str]) -> int:
        assert child.stdout is not None  # noqa: S101 - a pipe was asked for
        for line in child.stdout:
            event = json.loads(line)
            if event["event"] == "serving":
                return event["port"]
        raise SystemExit(f"the service of {self._source} ended with {child.wait(30)}")


def summary(runs: list[tuple[float, float]]) -> dict[str, dict[str, float]]:
    """Minimum, median and maximum of both figures."""
    return {
        name: {"min": min(values), "median": round(statistics.median(values), 3), "max": max(values)}
        for name, values in (
            ("cpu_s", [cpu for cpu, _ in runs]),
            ("wall_s", [round(wall, 3) for _, wall in runs]),
        )
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--against", type=Path, help="another checkout, started in turn with this one")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    arguments = parser.parse_args()
    against: Path | None = arguments.against
    with tempfile.TemporaryDirectory() as name:
        subjects = {"this": Subject(ROOT, Path(name) / "this")}
        if against is not None:
            subjects["other"] = Subject(against.resolve(), Path(name) / "other")
        runs: dict[str, list[tuple[float, float]]] = {which: [] for which in subjects}
        for _ in range(arguments.repetitions):
            for which, subject in subjects.items():
                runs[which].append(subject.start())
    result: dict[str, object] = {
        "repetitions": arguments.repetitions,
        "python": sys.version.split()[0],
        "start_to_ready": summary(runs["this"]),
    }
    if against is not None:
        pairs = [one[0] / two[0] for one, two in zip(runs["this"], runs["other"], strict=True)]
        result["other"] = summary(runs["other"])
        result["cpu_ratio"] = {"min": min(pairs), "median": statistics.median(pairs), "max": max(pairs)}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
