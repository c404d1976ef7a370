"""The CPU that this process's control group may use, and how much of it is used.

A container with half a core is at its limit at 0.5 cores, and its process alone cannot tell: what it measures
of itself looks idle. Read in the folder that a container sees as its own, by the rules of cgroup v2
(`cpu.max`, kernel documentation, "cgroup-v2", CPU interface files) and v1 (`cpu.cfs_quota_us`,
"sched-bwc").
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class CpuQuota:
    """A bound on the CPU of a control group.

    Args:
        cores: mean cores that it may use.
        usage: file that tells the CPU it has used so far.
        key: name of the line in it; empty when the file is one number.
        unit_s: seconds of one unit of that number.
    """

    cores: float
    usage: Path
    key: str
    unit_s: float

    def used_s(self) -> float:
        """Return the CPU seconds that the group has used so far; 0 when it cannot be read any more."""
        for words in (line.split() for line in _text(self.usage).splitlines()):
            if not self.key and len(words) == 1:
                return float(words[0]) * self.unit_s
            if len(words) == 2 and words[0] == self.key:
                return float(words[1]) * self.unit_s
        return 0.0


def cpu_quota(root: Path = CGROUPS) -> CpuQuota | None:
    """Return the bound on this process's control group; None without one.

    Args:
        root: where the process's own group lies, as it does in a container.
    """
    limit = _text(root / "cpu.max").split()
    if len(limit) == 2 and limit[0].isdecimal() and int(limit[1]) > 0:
        return CpuQuota(int(limit[0]) / int(limit[1]), root / "cpu.stat", "usage_usec", 1e-6)
    for controllers in ("cpu", "cpu,cpuacct"):
        quota_us = _number(root / controllers / "cpu.cfs_quota_us")
        period_us = _number(root / controllers / "cpu.cfs_period_us")
        if quota_us > 0 and period_us > 0:
            usage = next(
                (
                    path
                    for name in ("cpuacct", controllers)
                    if (path := root / name / "cpuacct.usage").exists()
                ),
                None,
            )
            return None if usage is None else CpuQuota(quota_us / period_us, usage, "", 1e-9)
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _number(path: Path) -> int:
    try:
        return int(_text(path))
    except ValueError:
        return -1
