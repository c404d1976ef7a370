"""Control groups of containers whose runtime was killed: nobody else removes them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")


def container_ids(shim_arguments: Iterable[Sequence[str]]) -> list[str]:
    """Containers that the shims with these command lines hold: the word behind `-id`."""
    found: list[str] = []
    for words in shim_arguments:
        found.extend(value for key, value in pairwise(words) if key == "-id")
    return found


def container_groups(ids: Iterable[str], *, root: Path = CGROUP_ROOT) -> list[Path]:
    """The groups of these containers, in either version's tree and with either driver's naming."""
    trees = [root, *(entry for entry in root.iterdir() if entry.is_dir())] if root.is_dir() else []
    names = [name for each in ids for name in (f"docker/{each}", f"system.slice/docker-{each}.scope")]
    return [group for tree in trees for name in names if (group := tree / name).is_dir()]


def remove_groups(groups: Iterable[Path]) -> None:
    """Remove groups and what is below them. The kernel refuses groups that still hold a process."""
    for group in groups:
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
