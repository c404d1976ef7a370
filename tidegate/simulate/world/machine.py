"""The cores of a node, shared by all that runs on it.

What the kernel's fair scheduler comes to over more than a few milliseconds: who can run gets cores in
proportion to its weight, nobody more than it can use, and nothing is left idle that somebody could use
(Linux Documentation/scheduler/sched-design-CFS.rst; weights of pods are their CPU requests, pkg/kubelet/cm
MilliCPUToShares). A share with a quota is held back besides (see `quota`). Within a share, as many pieces of
work run at once as it has cores, in the order in which they came.

Between two events nothing changes, so the model is exact in time: no steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tidegate.simulate.world.quota import Quota

_DONE = 1e-7
"""CPU seconds, or seconds, that are rounding: well above that of a clock that has run for a year."""

At = Callable[[float, Callable[[], None]], None]


@dataclass(eq=False, slots=True)
class Job:
    """A piece of work: what is left of it, CPU seconds, and what to do when it is done."""

    left_s: float
    done: Callable[[], None]


@dataclass(eq=False, slots=True)
class Share:
    """One group's part of a machine's cores."""

    weight: float
    """Its part where cores are short, compared with the others'."""
    quota: Quota
    """What it can do at most."""
    jobs: list[Job] = field(default_factory=list[Job])
    rate: float = 0.0
    """Cores it has now."""
    left_s: float = 0.0
    """Quota left in this period, CPU seconds."""
    ends_s: float = float("-inf")
    """The end of that period."""
    done_s: float = 0.0
    """CPU seconds used until `since_s`."""
    since_s: float = 0.0
    periods: int = 0
    """Periods in which it ran."""
    throttled: int = 0
    """Of those, the ones in which its quota ran out before its work did."""

    def used_s(self, now_s: float) -> float:
        """Return the CPU seconds used until `now_s`, which must not be after the machine's next event."""
        return self.done_s + self.rate * (now_s - self.since_s) if self.jobs else self.done_s

    @property
    def runs(self) -> int:
        """Pieces of work that can run at once."""
        return min(len(self.jobs), max(1, int(self.quota.cores)))

    @property
    def wanted(self) -> float:
        """Cores it can use now."""
        if not self.jobs or (self.quota.binds and self.left_s <= _DONE):
            return 0.0
        return min(self.quota.cores, float(len(self.jobs)))


class Machine:
    """Cores and the shares of them.

    Args:
        cores: of the machine.
        at: how to be called at a later moment.
    """

    def __init__(self, cores: float, at: At) -> None:
        self.cores = cores
        self._at = at
        self.now_s = 0.0
        """The moment of its last event."""
        self._busy: list[Share] = []
        self._version = 0

    def give(self, share: Share, now_s: float, work_s: float, done: Callable[[], None]) -> None:
        """Let `share` do `work_s` CPU seconds from `now_s` on, and call `done` at the moment it has."""
        self._advance(now_s)
        if not share.jobs:
            self._busy.append(share)
            share.since_s, share.rate = now_s, 0.0
        share.jobs.append(Job(max(work_s, 2 * _DONE), done))
        self._plan(now_s)

    def drop(self, share: Share, now_s: float) -> None:
        """Let a share's work be forgotten: its pod was killed."""
        self._advance(now_s)
        if share.jobs:
            share.jobs.clear()
            self._busy.remove(share)
            self._plan(now_s)

    def _advance(self, now_s: float) -> None:
        """Let time pass until `now_s`, at the rates planned before."""
        self.now_s = now_s
        for share in self._busy:
            length_s = now_s - share.since_s
            share.since_s = now_s
            if length_s <= 0.0 or not share.rate:
                continue
            done_s, runs = share.rate * length_s, share.runs
            share.done_s += done_s
            share.left_s -= done_s
            for job in share.jobs[:runs]:
                job.left_s -= done_s / runs

    def _event(self, now_s: float, version: int) -> None:
        if version != self._version:
            return
        self._advance(now_s)
        finished = list[Job]()
        for share in self._busy:
            runs = share.runs
            ended = [job for job in share.jobs[:runs] if job.left_s <= _DONE]
            if ended:
                finished += ended
                share.jobs = [job for job in share.jobs if job.left_s > _DONE]
        self._busy = [share for share in self._busy if share.jobs]
        self._plan(now_s)
        for job in finished:  # each may bring more work, here or elsewhere
            job.done()

    def _plan(self, now_s: float) -> None:
        """Give everybody cores, and come back when that changes."""
        for share in self._busy:
            if share.quota.binds and now_s >= share.ends_s - _DONE:
                share.left_s, share.ends_s = share.quota.quota_s, share.quota.ends_s(now_s)
                share.periods += 1
            elif share.quota.binds and share.rate > 0.0 and share.left_s <= _DONE:
                share.throttled += 1
        self._divide()
        next_s = float("inf")
        for share in self._busy:
            if share.quota.binds:
                next_s = min(next_s, share.ends_s)
            if share.rate:
                runs = share.runs
                least_s = min(job.left_s for job in share.jobs[:runs]) * runs
                if share.quota.binds:
                    least_s = min(least_s, share.left_s)
                next_s = min(next_s, now_s + least_s / share.rate)
        self._version += 1
        if next_s < float("inf"):
            version = self._version
            self._at(next_s, lambda: self._event(next_s, version))

    def _divide(self) -> None:
        """Set the rates: by weight, none above what it can use."""
        left, hungry = self.cores, list[tuple[float, Share]]()
        for share in self._busy:
            wanted = share.wanted
            share.rate = wanted
            left -= wanted
            hungry.append((wanted, share))
        if left >= 0.0:
            return
        # Those that want least for their weight get it; what they leave is shared by the others.
        hungry.sort(key=lambda one: one[0] / one[1].weight)
        left, weight = self.cores, sum(share.weight for wanted, share in hungry if wanted)
        for wanted, share in hungry:
            if wanted:
                share.rate = min(wanted, left * share.weight / weight)
                left -= share.rate
                weight -= share.weight
