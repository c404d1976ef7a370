"""Which of the operating system's packages the kit needs, by purpose, and installing them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tidegate.errors import TidegateError
from tidegate.host import apt

Purpose = Literal["engine", "build", "test", "prometheus"]
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@dataclass(frozen=True)
class Need:
    """Something that must be there, and the Debian packages that bring it.

    Args:
        packages: names to choose from, the preferred first; the last is taken where apt knows none.
        programs: any one of these on PATH satisfies the need, wherever it came from.
        files: likewise any match of these patterns below `/`.
    """

    packages: tuple[str, ...]
    programs: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    def met(self, *, root: Path = Path("/"), path: str | None = None) -> bool:
        """Whether it is there already."""
        search = path if path is not None else f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}"
        if any(shutil.which(program, path=search) for program in self.programs):
            return True
        return any(next(root.glob(pattern), None) is not None for pattern in self.files)


_CERTIFICATES = Need(
    ("ca-certificates",), files=("etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/*.crt")
)
_APPARMOR = Need(("apparmor",), programs=("apparmor_parser",))

NEEDS: dict[Purpose, tuple[Need, ...]] = {
    # The client is a package of its own from Debian 13 on.
    "engine": (
        Need(("docker.io",), programs=("dockerd",)),
        Need(("docker-cli", "docker.io"), programs=("docker",)),
        Need(("iptables",), programs=("iptables",)),
        Need(("iproute2",), programs=("ip",)),
        _CERTIFICATES,
    ),
    # Base images, and the binaries that need cgo.
    "build": (
        Need(("debootstrap",), programs=("debootstrap",)),
        Need(("gcc",), programs=("gcc",)),
        Need(("libc6-dev",), files=("usr/include/stdio.h",)),
        Need(("git",), programs=("git",)),
        _CERTIFICATES,
    ),
    "test": (
        Need(("redis-server",), programs=("redis-server", "valkey-server")),
        Need(("nginx",), programs=("nginx",)),
        Need(("postgresql",), programs=("postgres",), files=("usr/lib/postgresql/*/bin/postgres",)),
        Need(
            ("chromium", "chromium-browser"),
            programs=("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"),
        ),
    ),
    "prometheus": (Need(("prometheus",), programs=("promtool",)),),
}


def missing_packages(
    *purposes: Purpose,
    root: Path = Path("/"),
    path: str | None = None,
    known: Callable[[str], bool] | None = None,
) -> list[str]:
    """Debian packages to install before these purposes can be met; empty if nothing is missing.

    Args:
        purposes: `engine` to run containers, `build` to build images from package registries, `test` for the
            integration tests, `prometheus` for promtool.
        root: where the file system begins.
        path: folders to look for programs in; PATH and the system's own by default.
        known: whether apt knows a package; asks apt by default.
    """
    ask = known or _known_to_apt
    found: list[str] = []
    for purpose in purposes:
        for need in (*NEEDS[purpose], *_conditional(purpose, root)):
            if not need.met(root=root, path=path):
                names = need.packages
                name = names[0] if len(names) == 1 else next((n for n in names if ask(n)), names[-1])
                if name not in found:
                    found.append(name)
    return found


def _known_to_apt(name: str) -> bool:
    return shutil.which("apt-cache") is not None and apt.candidate(name)


def _conditional(purpose: Purpose, root: Path) -> tuple[Need, ...]:
    """With AppArmor in the kernel an engine loads a profile for each container, and needs its tool."""
    try:
        active = (root / "sys/module/apparmor/parameters/enabled").read_text().strip() == "Y"
    except OSError:
        active = False
    return (_APPARMOR,) if purpose == "engine" and active else ()


def is_debian(root: Path = Path("/")) -> bool:
    """Whether packages come from apt here: Debian, Ubuntu and what derives from them."""
    try:
        lines = (root / "etc/os-release").read_text().splitlines()
    except OSError:
        return False
    values = [
        line.partition("=")[2].strip('"').split() for line in lines if line.startswith(("ID=", "ID_LIKE="))
    ]
    return any(name in ("debian", "ubuntu") for words in values for name in words)


def install_packages(names: Sequence[str]) -> None:
    """Install packages by apt-get, as root on Debian or Ubuntu. An empty list does nothing.

    No service in them is started, now or at the next boot.

    Raises:
        TidegateError: another system or not root (the cure has the command to run), or apt-get failed.
    """
    if not names:
        return
    listed = " ".join(names)
    if not is_debian() or shutil.which("apt-get") is None:
        raise TidegateError(
            f"programs are missing, which Debian has in: {listed}",
            cure="install them with this system's package manager",
        )
    if os.geteuid() != 0:
        raise TidegateError(
            f"packages are missing: {listed}",
            cure=f"run `sudo apt-get install --no-install-recommends {listed}`",
        )
    apt.install(list(names))
