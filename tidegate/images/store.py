"""The cache of what was made: one folder an entry, whole or absent, with a manifest of its content.

<cache>/<area>/<name>-<key>/             the entry and its manifest.json
<cache>/making/<area>-<name>-<key>/      an entry being made; renamed when it is whole
<cache>/locks/                           one lock an entry, so that two commands do not make the same
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from tidegate.errors import TidegateError
from tidegate.host.paths import cache_dir
from tidegate.images.digest import SHORT, of_file
from tidegate.models.base import Model

_MANIFEST = "manifest.json"
_LOCK_POLL_S = 0.2


class FileRecord(Model):
    """One file of an entry as it was when the entry was made."""

    sha256: str
    size: int
    mtime_ns: int


class Manifest(Model):
    """What an entry holds and what it was made from."""

    name: str
    key: str
    versions: dict[str, str]
    files: dict[str, FileRecord]


@dataclass(frozen=True)
class Entry:
    """One entry's place in the cache, made or not.

    Args:
        area: kind of content, as `bin`.
        name: what it is called.
        key: the whole key.
    """

    area: str
    name: str
    key: str

    @property
    def label(self) -> str:
        """Its folder's name."""
        return f"{self.name}-{self.key[:SHORT]}"

    @property
    def path(self) -> Path:
        """Its folder."""
        return cache_dir() / self.area / self.label

    def problem(self, *, thorough: bool = False) -> str | None:
        """Return what is wrong with the entry, or None when it is whole.

        Args:
            thorough: compare contents; otherwise sizes and times only, which a stray write changes too.
        """
        manifest = self._manifest()
        if manifest is None:
            return f"{self.path / _MANIFEST} is missing or unreadable"
        if manifest.key != self.key:
            return f"{self.path} was made for another key"
        for name, record in manifest.files.items():
            file = self.path / name
            try:
                found = file.stat()
            except OSError:
                return f"{file} is missing"
            if found.st_size != record.size or (not thorough and found.st_mtime_ns != record.mtime_ns):
                return f"{file} has changed since it was made"
            if thorough and of_file(file) != record.sha256:
                return f"{file} does not have the content it was made with"
        return None

    def exists(self) -> bool:
        """Whether there is an entry, whole or not."""
        return self.path.exists()

    def bytes(self) -> int:
        """Return the size of its files."""
        manifest = self._manifest()
        return sum(record.size for record in manifest.files.values()) if manifest else 0

    def _manifest(self) -> Manifest | None:
        try:
            return Manifest.model_validate_json((self.path / _MANIFEST).read_text())
        except (OSError, ValidationError):
            return None


@contextmanager
def making(entry: Entry, *, versions: dict[str, str]) -> Generator[Path]:
    """Give an empty folder to fill; it becomes the entry when the block ends without an error.

    The caller holds the entry's lock. What an interrupted attempt left is removed first.

    Args:
        entry: what is made.
        versions: versions that go into it, for its manifest.
    """
    folder = cache_dir() / "making" / f"{entry.area}-{entry.label}"
    remove(folder)
    folder.mkdir(parents=True)
    try:
        yield folder
        manifest = Manifest(name=entry.name, key=entry.key, versions=versions, files=_records(folder))
        (folder / _MANIFEST).write_text(manifest.model_dump_json(indent=1))
        remove(entry.path)
        entry.path.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(entry.path)
    finally:
        remove(folder)


def _records(folder: Path) -> dict[str, FileRecord]:
    found: dict[str, FileRecord] = {}
    for file in sorted(item for item in folder.rglob("*") if item.is_file() and not item.is_symlink()):
        status = file.stat()
        found[file.relative_to(folder).as_posix()] = FileRecord(
            sha256=of_file(file), size=status.st_size, mtime_ns=status.st_mtime_ns
        )
    return found


def remove(path: Path) -> None:
    """Remove a file or folder if it is there, read-only folders included (Go's module cache has them)."""
    if path.is_symlink() or path.is_file():
        path.unlink(missing_ok=True)
        return
    if not path.exists():
        return
    for folder, _, _ in os.walk(path):
        Path(folder).chmod(0o700)
    shutil.rmtree(path, ignore_errors=False)


def _open_lock(name: str) -> IO[str]:
    folder = cache_dir() / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return (folder / f"{name}.lock").open("w")
    except OSError as error:
        raise TidegateError(
            f"the cache cannot be written: {error.strerror}",
            where=str(cache_dir()),
            cure="set TIDEGATE_CACHE",
        ) from error


def _try(file: IO[str], *, shared: bool) -> bool:
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@asynccontextmanager
async def lock(name: str, *, shared: bool = False) -> AsyncGenerator[None]:
    """Hold the lock `name` during the block, waiting for other commands that hold it.

    The kernel drops it when the process ends, however it ends.

    Args:
        name: what is locked, as `bin-kubectl-0123456789ab`.
        shared: whether other shared holders are let in.
    """
    with _open_lock(name) as file:
        while not _try(file, shared=shared):  # noqa: ASYNC110 - another process holds it
            await asyncio.sleep(_LOCK_POLL_S)
        yield


@contextmanager
def lock_now(name: str) -> Generator[bool]:
    """Take the lock `name` alone if nobody holds it, and tell whether that succeeded."""
    with _open_lock(name) as file:
        yield _try(file, shared=False)


def entries(area: str) -> list[tuple[Path, Manifest | None]]:
    """Return the folders of an area with their manifests (None where it is unreadable)."""
    found: list[tuple[Path, Manifest | None]] = []
    for folder in sorted((cache_dir() / area).glob("*/")):
        try:
            found.append((folder, Manifest.model_validate(json.loads((folder / _MANIFEST).read_text()))))
        except (OSError, ValueError):
            found.append((folder, None))
    return found


def verify() -> list[str]:
    """Return what is wrong with any entry of the cache, comparing contents."""
    found: list[str] = []
    for area in ("bin", "modules", "wheels"):
        for path, manifest in entries(area):
            if manifest is None:
                found.append(f"{path} has no manifest")
                continue
            problem = Entry(area, manifest.name, manifest.key).problem(thorough=True)
            if problem is not None:
                found.append(problem)
    return found
