"""Which Linux capabilities a process may ever hold.

Container runtimes grant a privileged container every capability. Where the machine's own root was
started without one of them (nested virtual machines, hardened hosts) the kernel refuses, and no
privileged container starts. See capabilities(7), "Capability bounding set".
"""

from __future__ import annotations

from pathlib import Path

CAP_SYS_RESOURCE = 24
"""Number of the capability to raise resource limits (include/uapi/linux/capability.h)."""


def bounding_set(status: str) -> int | None:
    """The bounding set, as a bit mask, from the text of `/proc/<pid>/status`; None where it is not told."""
    for line in status.splitlines():
        key, _, value = line.partition(":")
        if key == "CapBnd":
            try:
                return int(value.strip(), 16)
            except ValueError:
                return None
    return None


def lacks_sys_resource(pid: int | str = "self", *, proc: Path = Path("/proc")) -> bool | None:
    """Whether the process can never hold CAP_SYS_RESOURCE; None where that cannot be read."""
    try:
        mask = bounding_set((proc / str(pid) / "status").read_text())
    except OSError:
        return None
    return None if mask is None else not mask & (1 << CAP_SYS_RESOURCE)
