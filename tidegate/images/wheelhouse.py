"""The Python packages of an image: wheels by the lock file's hashes, fetched outside the image."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

from packaging.requirements import Requirement

from tidegate.errors import TidegateError
from tidegate.images.model import Pip
from tidegate.proc import run

_GLIBC_MINOR = 36
"""Debian 12 has glibc 2.36, so wheels that ask for up to that will run."""


def requirements(root: Path, pip: Pip) -> list[str]:
    """Return the pinned requirements of a dependency group, with hashes, as lines for pip.

    Markers are judged for the interpreter inside the image, not for the one that runs this: the lock file
    asks for some packages on old patch releases of Python only.

    Raises:
        TidegateError: uv is absent, or the lock file does not fit pyproject.toml.
    """
    if shutil.which("uv") is None:
        raise TidegateError(
            "uv was not found", cure="install uv; the service's packages come from its lock file"
        )
    exported = run(
        [
            *("uv", "export", "--frozen", "--offline", "--only-group", pip.group, "--no-emit-project"),
            *("--format", "requirements.txt", "--no-header", "--no-annotate", "--project", root),
        ]
    ).stdout
    environment = marker_environment(pip.python)
    chosen: list[str] = []
    for line in exported.replace("\\\n", " ").splitlines():
        words = line.split(" --hash=")
        if not words[0].strip():
            continue
        wanted = Requirement(words[0].strip())
        if wanted.marker is None or wanted.marker.evaluate(environment):
            hashes = " ".join(f"--hash={word.strip()}" for word in sorted(words[1:]))
            chosen.append(f"{wanted.name}{wanted.specifier} {hashes}")
    return sorted(chosen)


def marker_environment(python: str) -> dict[str, str]:
    """Return the marker variables of CPython `python` (as 3.11.2) on Linux on this machine's architecture."""
    return {
        "implementation_name": "cpython",
        "implementation_version": python,
        "os_name": "posix",
        "platform_machine": platform.machine(),
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": python,
        "python_version": ".".join(python.split(".")[:2]),
        "sys_platform": "linux",
        "extra": "",
    }


def pip_command() -> list[str]:
    """Return the command that runs pip: uv's, which needs none installed, or else this interpreter's own."""
    if shutil.which("uv") is not None:
        return ["uv", "tool", "run", "pip"]
    return [sys.executable, "-m", "pip"]


def download_command(wanted: Path, into: Path, python: str) -> list[str]:
    """Return the command that fetches the wheels listed in `wanted` into a folder, each checked by its hash.

    Args:
        wanted: requirements with hashes.
        into: folder to fill.
        python: version of the interpreter that will use them, as 3.11.2.
    """
    major, minor = python.split(".")[:2]
    machine = platform.machine()
    tags = [f"manylinux_2_{glibc}_{machine}" for glibc in range(5, _GLIBC_MINOR + 1)]
    tags += [f"manylinux2014_{machine}", f"linux_{machine}"]
    return [
        *(*pip_command(), "download", "--no-deps", "--require-hashes", "--only-binary=:all:"),
        *("--progress-bar", "off", "--disable-pip-version-check", "--no-input"),
        *("--python-version", f"{major}.{minor}", "--implementation", "cp"),
        *("--abi", f"cp{major}{minor}", "--abi", "abi3", "--abi", "none"),
        *(word for tag in tags for word in ("--platform", tag)),
        *("--dest", str(into), "--requirement", str(wanted)),
    ]
