"""One pod: its life, and the work it does.

The CPU of a pod takes requests in the order in which they come, on the cores of its processes and within its
quota (see `quota`). What it has used is then known at every moment without following each request: the work
it had before it last became busy, and what it can have done since. A pod on a node whose cores it shares does
its work there instead (see `machine`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.simulate.world.machine import Share
from tidegate.simulate.world.quota import Quota


@dataclass(eq=False, slots=True)
class Pod:
    """State of one pod; times are seconds of the simulation, infinite for what has not come."""

    name: str
    created_s: float
    quota: Quota
    """What its CPU can do."""
    template: int = 0
    """Which version of the pod it is: rollouts count up."""
    node: int | None = None
    scheduled_s: float = float("inf")
    started_s: float = float("inf")
    ready_s: float = float("inf")
    deleting_s: float = float("inf")
    gone_s: float = float("inf")
    before_s: float = 0.0
    """CPU seconds used before it last became busy."""
    busy_s: float = 0.0
    """When it last became busy."""
    left_s: float = 0.0
    """Quota that was left then, CPU seconds."""
    given_s: float = 0.0
    """CPU seconds of the work it was given since."""
    free_s: float = float("-inf")
    """When it has done all of it."""
    share: Share | None = None
    """Its part of its node's cores, where those are shared."""
    requests: int = 0
    """Requests it was given."""
    waiting: int = 0
    """Of those, the ones its CPU has not done, where cores are shared."""
    point: tuple[float, float] | None = None
    """The kubelet's newest sample: moment and CPU seconds used by then."""
    stored: tuple[tuple[float, float], ...] = field(default=())
    """metrics-server's last one or two distinct samples."""

    def used_cpu_s(self, now_s: float) -> float:
        """Return the CPU seconds used until `now_s`, which must not be before any work it was given."""
        if self.share is not None:
            return self.before_s + self.share.used_s(now_s)
        if now_s >= self.free_s:
            return self.before_s + self.given_s
        return self.before_s + self.quota.work_done_s(self.busy_s, self.left_s, now_s)

    def work(self, now_s: float, cpu_s: float) -> float:
        """Give it work at `now_s`; return when the CPU has done it."""
        if now_s > self.free_s:
            self._wake(now_s)
        self.given_s += cpu_s
        self.free_s = self.quota.done_s(self.busy_s, self.left_s, self.given_s)
        return self.free_s

    def _wake(self, now_s: float) -> None:
        """Begin a busy time; what is left of the quota follows from the work done in this period."""
        quota = self.quota
        begun_s = quota.ends_s(now_s) - quota.period_s
        spent_s = 0.0
        if quota.binds and self.free_s > begun_s:
            earlier_s = quota.work_done_s(self.busy_s, self.left_s, begun_s)
            spent_s = self.given_s - earlier_s
            if self.busy_s >= begun_s:  # it was woken in this period before
                spent_s += quota.quota_s - self.left_s
        self.left_s = max(0.0, quota.quota_s - spent_s)
        self.before_s += self.given_s
        self.busy_s, self.given_s = now_s, 0.0

    def is_ready(self, now_s: float) -> bool:
        """Whether its Ready condition is true."""
        return self.ready_s <= now_s < self.gone_s
