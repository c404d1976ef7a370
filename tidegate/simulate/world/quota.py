"""A CPU limit as the kernel keeps it: so much time in each period, at full speed, then none until the next.

CFS bandwidth control (Linux Documentation/scheduler/sched-bwc.rst): a group with a quota may use `quota_s`
CPU seconds in each `period_s`, by all its threads together; with nothing left it waits for the next period,
which begins with the whole quota. Kubernetes sets the quota to the limit times the period, and the period to
100 ms (pkg/kubelet/cm/helpers_linux.go, QuotaPeriod). Left out: slices of 5 ms by which the quota reaches the
CPUs, and bursts, which Kubernetes does not set.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

_ROUNDING = 1e-9
"""Periods, or CPU seconds, that are rounding."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a pod's CPU can do. A quota of at least `cores` times the period never holds it back."""

    cores: float
    """Cores it runs on while it has quota left."""
    quota_s: float
    """CPU seconds in each period."""
    period_s: float
    """Seconds."""
    phase_s: float = 0.0
    """A moment at which a period begins: each group has its own."""

    @property
    def speed(self) -> float:
        """Mean cores that it can use in the long run."""
        return min(self.cores, self.quota_s / self.period_s)

    @property
    def binds(self) -> bool:
        """Whether the quota can be used up within a period."""
        return self.quota_s < self.cores * self.period_s - _ROUNDING

    def ends_s(self, at_s: float) -> float:
        """Return the end of the period that `at_s` is in."""
        whole = math.floor((at_s - self.phase_s) / self.period_s + _ROUNDING)
        return self.phase_s + (whole + 1) * self.period_s

    def done_s(self, start_s: float, left_s: float, work_s: float) -> float:
        """Return when `work_s` CPU seconds are done, begun at `start_s` and never idle.

        Args:
            start_s: the beginning, seconds.
            left_s: quota left in the period of `start_s`, CPU seconds.
            work_s: CPU seconds to do.
        """
        if not self.binds:
            return start_s + work_s / self.cores
        end_s = self.ends_s(start_s)
        first_s = min(left_s, self.cores * (end_s - start_s))
        if work_s <= first_s + _ROUNDING:
            return start_s + work_s / self.cores
        # Whole periods, then what is above them; the last period is not left before its work is done.
        more_s = work_s - first_s
        whole = math.ceil(more_s / self.quota_s - _ROUNDING) - 1
        return end_s + whole * self.period_s + (more_s - whole * self.quota_s) / self.cores

    def work_done_s(self, start_s: float, left_s: float, upto_s: float) -> float:
        """Return the CPU seconds done until `upto_s`, begun at `start_s` and never idle; see `done_s`."""
        if upto_s <= start_s:
            return 0.0
        if not self.binds:
            return self.cores * (upto_s - start_s)
        end_s = self.ends_s(start_s)
        if upto_s <= end_s:
            return min(left_s, self.cores * (upto_s - start_s))
        first_s = min(left_s, self.cores * (end_s - start_s))
        whole = math.floor((upto_s - end_s) / self.period_s + _ROUNDING)
        into_s = max(0.0, upto_s - end_s - whole * self.period_s)
        return first_s + whole * self.quota_s + min(self.quota_s, self.cores * into_s)
