"""The programs benchmarks call: load generators and NGINX, brought from package registries without root."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.packages import SYSTEM_PATH
from tidegate.host.paths import cache_dir, project_root

ARQ = ("arq==0.28.0", "redis[hiredis]==5.3.1")
"""arq wants a redis client below 6 and the service one from 6 on, so they cannot share an environment."""


@dataclass(frozen=True)
class Program:
    """A program and the folder its own libraries lie in, if they are not the system's."""

    path: Path
    libraries: Path | None = None

    def environment(self) -> dict[str, str]:
        """What must be added to the environment to run it."""
        return {"LD_LIBRARY_PATH": str(self.libraries)} if self.libraries else {}


def wrk() -> Program:
    """The closed-loop generator (C, one thread), from the system or Debian's package."""
    return _debian("wrk", "bin/wrk", ["wrk", "libluajit-5.1-2", "libluajit-5.1-common"])


def nginx() -> Program:
    """NGINX, from the system or Debian's package, without modules."""
    return _debian("nginx", "sbin/nginx", ["nginx"])


def vegeta() -> Path:
    """The generator of a constant rate (Go), installed or built from the catalogue of tools."""
    from tidegate.images.ensure import ensure_tools

    return ensure_tools(["vegeta"])["vegeta"]


def arq_python() -> Path:
    """The interpreter of an environment that holds arq and what it needs, made at the first call."""
    folder = cache_dir() / "bench" / ("-".join(ARQ).replace("[hiredis]", "").replace("==", "-"))
    python = folder / "bin" / "python"
    if (folder / ".complete").exists():
        return python
    shutil.rmtree(folder, ignore_errors=True)
    uv = _uv()
    _call([uv, "venv", "-q", "--python", sys.executable, str(folder)], "the environment of arq")
    _call([uv, "pip", "install", "-q", "--python", str(python), *ARQ], "arq")
    (folder / ".complete").touch()
    return python


def service_python() -> Path:
    """The interpreter of an environment with the packages of the service's image and no others.

    The developers' packages are not for measuring a start: libraries import what they find of them (structlog
    imports rich, for one).
    """
    folder = cache_dir() / "bench" / "service"
    command = [_uv(), "sync", "-q", "--frozen", "--only-group", "service", "--python", sys.executable]
    _call(
        command,
        "the environment of the service",
        folder=project_root(),
        environment={"UV_PROJECT_ENVIRONMENT": str(folder)},
    )
    return folder / "bin" / "python"


def _uv() -> str:
    noted = Path(sys.prefix) / "uv-path"
    return noted.read_text().strip() if noted.is_file() else "uv"


def _debian(name: str, inside: str, packages: Sequence[str]) -> Program:
    installed = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")
    if installed is not None:
        return Program(Path(installed))
    folder = cache_dir() / "bench" / name
    program = folder / "usr" / inside
    libraries = next(folder.glob("usr/lib/*-linux-gnu"), None)
    if program.exists():
        return Program(program, libraries)
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise TidegateError(f"{name} was not found", cure=f"install {name}")
    print(f"fetching Debian's {name} into {folder}", file=sys.stderr)
    draft = folder.with_suffix(".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    # Downloaded and unpacked only: nothing is installed, started or configured.
    _call(["apt-get", "-q", "download", *packages], f"Debian's {name}", folder=draft)
    for package in sorted(draft.glob("*.deb")):
        _call(["dpkg", "-x", str(package), str(draft)], str(package))
        package.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    draft.replace(folder)
    return Program(program, next(folder.glob("usr/lib/*-linux-gnu"), None))


def _call(
    command: list[str],
    what: str,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    own = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, cwd=folder, env=own | dict(environment or {})
        )
    except FileNotFoundError:
        raise TidegateError(f"{command[0]} was not found", cure=f"install {command[0]}") from None
    except subprocess.CalledProcessError as error:
        last = (error.stderr or error.stdout or "").strip().splitlines()[-1:]
        raise TidegateError(
            f"{what} could not be fetched: {' '.join(last)}", cure=f"see what `{' '.join(command)}` says"
        ) from None
