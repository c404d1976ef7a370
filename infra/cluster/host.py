"""What about this machine decides how a kind node must be configured."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from infra.cluster import docker

_CAP_SYS_RESOURCE_BIT = 24
"""include/uapi/linux/capability.h"""


@dataclass(frozen=True)
class HostTraits:
    """Departures from an ordinary machine.

    Args:
        cgroup_v1: the engine's containers live in cgroup v1 hierarchies.
        can_raise_limits: containers may hold CAP_SYS_RESOURCE, so the kubelet and containerd can set limits
            and OOM scores.
    """

    cgroup_v1: bool = False
    can_raise_limits: bool = True


def detect(proc: Path = Path("/proc/self/status")) -> HostTraits:
    """Ask the container engine and this process about the machine.

    Raises:
        TidegateError: the container engine does not answer.
    """
    return HostTraits(
        cgroup_v1=docker.cgroup_version() == "1",
        can_raise_limits=not _engine_is_local() or _may_hold_sys_resource(proc),
    )


def _engine_is_local() -> bool:
    """Whether the engine shares this machine's kernel; a virtual machine's engine has limits of its own."""
    host = os.environ.get("DOCKER_HOST", "")
    return host == "" or host.startswith("unix://")


def _may_hold_sys_resource(proc: Path) -> bool:
    """Whether the bounding set, which no child can leave, has CAP_SYS_RESOURCE; True where unreadable."""
    try:
        lines = proc.read_text(encoding="ascii").splitlines()
    except OSError:
        return True
    for line in lines:
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> _CAP_SYS_RESOURCE_BIT & 1)
    return True
