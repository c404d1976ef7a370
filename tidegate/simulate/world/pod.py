"""One pod: its life, and the work it does.

The CPU of a pod is a server of its own speed, the lesser of its limit and its processes, that takes requests
in the order in which they come. What it has used is then known at every moment without following each
request: all work it was given, less what is still before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False, slots=True)
class Pod:
    """State of one pod; times are seconds of the simulation, infinite for what has not come."""

    name: str
    created_s: float
    speed: float
    """Cores it can use at most."""
    node: int | None = None
    scheduled_s: float = float("inf")
    started_s: float = float("inf")
    ready_s: float = float("inf")
    deleting_s: float = float("inf")
    gone_s: float = float("inf")
    given_cpu_s: float = 0.0
    """CPU seconds of all work it was given, its start included."""
    free_s: float = 0.0
    """When it has done all of it."""
    point: tuple[float, float] | None = None
    """The kubelet's newest sample: moment and CPU seconds used by then."""
    stored: tuple[tuple[float, float], ...] = field(default=())
    """metrics-server's last one or two distinct samples."""

    def used_cpu_s(self, now_s: float) -> float:
        """Return the CPU seconds used until `now_s`, which must not be before any work it was given."""
        return self.given_cpu_s - self.speed * max(0.0, self.free_s - now_s)

    def work(self, now_s: float, cpu_s: float) -> float:
        """Give it work at `now_s`; return when the CPU has done it."""
        self.free_s = max(self.free_s, now_s) + cpu_s / self.speed
        self.given_cpu_s += cpu_s
        return self.free_s

    def is_ready(self, now_s: float) -> bool:
        """Whether its Ready condition is true."""
        return self.ready_s <= now_s < self.gone_s
