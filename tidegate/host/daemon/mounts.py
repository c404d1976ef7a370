"""What is mounted below an engine's folders, and taking it away."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from tidegate.proc import run

_ESCAPE = re.compile(r"\\([0-7]{3})")


def mounts_below(mountinfo: str, folders: Iterable[Path]) -> list[Path]:
    """Mount points below the folders (or the folders themselves), the last mounted first.

    Args:
        mountinfo: text of `/proc/self/mountinfo`, in the order of mounting; see proc(5).
        folders: absolute, without symbolic links.
    """
    wanted = [str(folder) for folder in folders]
    found: list[Path] = []
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if len(fields) < 5:
            continue
        point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])
        if any(point == folder or point.startswith(folder.rstrip("/") + "/") for folder in wanted):
            found.append(Path(point))
    return list(reversed(found))


def unmount_below(folders: Iterable[Path]) -> list[Path]:
    """Unmount everything below the folders; a busy one is detached, so that it goes with its last user.

    Returns:
        the mount points that are still there.
    """
    wanted = list(folders)
    info = Path("/proc/self/mountinfo")
    for point in mounts_below(info.read_text(), wanted):
        if run(["umount", point], check=False, timeout_s=20).returncode != 0:
            run(["umount", "-l", point], check=False, timeout_s=20)
    return mounts_below(info.read_text(), wanted)


def remove_tree(folder: Path) -> list[Path]:
    """Delete a folder and all in it, never through a mount.

    Returns:
        the mount points that forbade it; empty when the folder is gone.
    """
    held = unmount_below([folder])
    if not held and folder.is_symlink():
        folder.unlink()
    elif not held and folder.exists():
        shutil.rmtree(folder)
    return held
