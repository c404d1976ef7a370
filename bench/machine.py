"""The machine that measures: its facts, its cores, and who used how much of them."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import TidegateError

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_LIBRARIES = ("fastapi", "starlette", "uvicorn", "uvloop", "httptools", "gunicorn", "hypercorn", "granian")
_QUEUES = ("dramatiq", "celery", "rq", "redis")


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core carries what is measured, and which everything around it."""

    server: int
    generator: int


def two_cores() -> Cores:
    """The first and the last core this process may use.

    Raises:
        TidegateError: there is only one, where a generator would measure itself.
    """
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        raise TidegateError(
            "benchmarks need two cores, one of them for the load generator",
            cure="allow this process a second core",
        )
    return Cores(allowed[0], allowed[-1])


def raise_file_limit() -> int:
    """Let this process and its children hold as many files as root allows; how many that is.

    As root with CAP_SYS_RESOURCE the hard limit is raised too; without it, it stays what it is.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = max(hard, 65_536)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
    except (ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return wanted


def facts() -> dict[str, str]:
    """What a reader must know to compare figures."""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES
    versions = [f"{name} {_version(name)}" for name in (*_LIBRARIES, *_QUEUES)]
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory_bytes / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "virtual machine": "yes" if "hypervisor" in Path("/proc/cpuinfo").read_text() else "no",
        "Python": platform.python_version(),
        "libraries": ", ".join(versions),
        "commit": _commit(),
    }


def cpu_s(pid: int) -> float:
    """User and system CPU seconds of one process so far, its own threads included."""
    return _cpu_of(Path(f"/proc/{pid}/stat").read_text())


def session_pids(session: int) -> list[int]:
    """The processes of one session: those that a server started with `setsid` has become."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session:
            found.append(int(entry.name))
    return found


def session_cpu_s(session: int) -> float:
    """CPU seconds of all living processes of a session."""
    total = 0.0
    for pid in session_pids(session):
        try:
            total += cpu_s(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def resident_bytes(pid: int) -> int:
    """Memory of one process that is really there."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES


def stolen_s() -> float:
    """CPU seconds the host has kept from this virtual machine so far, over all cores."""
    return int(Path("/proc/stat").read_text().split("\n", 1)[0].split()[8]) / _TICKS_PER_S


def _cpu_of(stat: str) -> float:
    fields = stat.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


def _commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = " with changes" if git("status", "--porcelain") else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
