"""Content keys: equal inputs give equal keys, and any other input another key."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

SHORT = 12
"""Characters of a key in names of folders and tags."""

_IGNORED = {"__pycache__", ".DS_Store", ".pytest_cache", ".ruff_cache"}


def of_json(value: Any) -> str:
    """Return the sha256 of `value` written as JSON with sorted keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def of_file(path: Path) -> str:
    """Return the sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_below(path: Path) -> list[Path]:
    """Return the files at or below `path`, sorted, without what tools leave behind (caches, byte code)."""
    if path.is_file():
        return [path]
    found = (item for item in path.rglob("*") if item.is_file() or item.is_symlink())
    return sorted(item for item in found if not _IGNORED.intersection(item.parts) and item.suffix != ".pyc")


def of_tree(path: Path) -> str:
    """Return a key over the names, executable bits and contents of the files at or below `path`."""
    described: list[tuple[str, bool, str]] = []
    for item in files_below(path):
        name = item.relative_to(path).as_posix()
        if item.is_symlink():
            described.append((name, False, f"link:{item.readlink()}"))
        else:
            described.append((name, bool(item.stat().st_mode & 0o100), of_file(item)))
    return of_json(described)
