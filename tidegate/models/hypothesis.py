"""What an experiment claims before it is run, and how it can be seen that its fault was there at all.

It stands beside the fault, in the annotation `tidegate/hypothesis` of the same object, so that the file stays
plain YAML that `kubectl apply` accepts.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from tidegate.models.base import Count, MilliSeconds, Model, Percent, SecondsFloat
from tidegate.models.slo import RouteTemplate

HYPOTHESIS = "tidegate/hypothesis"
"""The annotation that holds the hypothesis, as YAML."""


class Sign(StrEnum):
    """What can be measured of a fault without asking the injector."""

    POD_REPLACED = "pod_replaced"
    """A chosen pod was deleted and another was born (watch of pods)."""
    CONTAINER_RESTARTED = "container_restarted"
    """A chosen pod's restart count rose (watch of pods)."""
    IMAGE_SWAPPED = "image_swapped"
    """A chosen pod ran another image and was not Ready (watch of pods)."""
    CPU_THROTTLED = "cpu_throttled"
    """Share of time in which the cgroup wanted CPU and got none, 0 to 1, above that of before (cgroup)."""
    CPU_TAKEN = "cpu_taken"
    """Cores that others than the service's own processes used in its cgroup, above those of before (cgroup).

    Where cores are short the cgroup's limit is not reached, and no time is throttled."""
    MEMORY_GREW = "memory_grew"
    """Mebibytes that the cgroup held above those of before (cgroup)."""
    UNREACHABLE = "unreachable"
    """No TCP connection to `to` could be opened from a chosen pod, where before it could (socket)."""
    UNRESOLVED = "unresolved"
    """The name `to` could not be resolved in a chosen pod, where before it could (resolver)."""
    CLOCK_SHIFTED = "clock_shifted"
    """Seconds between the service's clock and that of its own pod (Date of an answer)."""
    CONNECT_SLOWER = "connect_slower"
    """Milliseconds by which the median connection to `to` took longer than before (socket)."""
    CONNECT_LOST = "connect_lost"
    """Share of connections to `to` that failed or had to send again, 0 to 1 (socket)."""
    WRITE_SLOWER = "write_slower"
    """Milliseconds by which the median write to a file took longer than before (file system)."""
    ANSWERS_ABORTED = "answers_aborted"
    """Share of requests to the service inside its pod that were cut off, 0 to 1 (socket)."""
    NODE_CORDONED = "node_cordoned"
    """A node took no new pods, where before it did (watch of nodes)."""
    NODE_NOT_READY = "node_not_ready"
    """A node was not Ready (watch of nodes)."""
    DATABASE_REPLACED = "database_replaced"
    """The pod of the database `to` was replaced (its list)."""


_WITH_TARGET = frozenset(
    {Sign.UNREACHABLE, Sign.UNRESOLVED, Sign.CONNECT_SLOWER, Sign.CONNECT_LOST, Sign.DATABASE_REPLACED}
)
_WITH_AMOUNT = frozenset(
    {
        Sign.CPU_THROTTLED,
        Sign.CPU_TAKEN,
        Sign.MEMORY_GREW,
        Sign.CLOCK_SHIFTED,
        Sign.CONNECT_SLOWER,
        Sign.CONNECT_LOST,
        Sign.WRITE_SLOWER,
        Sign.ANSWERS_ABORTED,
    }
)


class Evidence(Model):
    """One sign that must be seen for the fault to count as landed."""

    sign: Sign = Field(description="What is measured.")
    to: Literal["redis", "postgres"] | None = Field(
        default=None, description="The database it is about; only for signs that are about one."
    )
    at_least: float | None = Field(
        default=None, gt=0, description="Least amount, in the sign's own unit; only for signs that have one."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.to is not None) != (self.sign in _WITH_TARGET):
            raise ValueError(f"{self.sign} {'needs' if self.sign in _WITH_TARGET else 'takes no'} `to`")
        if (self.at_least is not None) != (self.sign in _WITH_AMOUNT):
            raise ValueError(f"{self.sign} {'needs' if self.sign in _WITH_AMOUNT else 'takes no'} `at_least`")
        return self


class Steady(Model):
    """What must hold while the fault is there, and how soon afterwards all is as before."""

    availability_percent: Percent = Field(
        ge=0, lt=100, description="Least share of requests answered well, percent, in the judged span."
    )
    p99_ms: MilliSeconds | None = Field(
        default=None, gt=0, description="Most milliseconds at p99 in the judged span; unset is not judged."
    )
    routes: tuple[RouteTemplate, ...] = Field(
        default=(), description="Routes that are judged, where the others cannot do without what is away."
    )
    recovery_s: SecondsFloat = Field(
        gt=0,
        le=600,
        description="Most seconds from the end of the fault until errors and p99 are as before it.",
    )
    lost_at_once: Count | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Most Ready web pods that may be missing at once; unset is as many as the fault hits.",
    )
    all_leave: bool = Field(
        default=False,
        description="Whether every chosen pod must have been told to go by the end of the fault (a drain).",
    )
    no_order_lost: bool = Field(
        default=False, description="Whether every acknowledged order must be decided exactly once."
    )


class Hypothesis(Model):
    """The claim of one experiment."""

    statement: str = Field(min_length=20, max_length=400, description="The claim, in one or two sentences.")
    evidence: tuple[Evidence, ...] = Field(
        min_length=1, description="Signs of which every one must be seen, or nothing was proven."
    )
    steady: Steady = Field(description="The steady state.")
    autoscaler: Literal["holds", "scales_up", "follows"] = Field(
        default="follows",
        description="`holds`: no change of replicas. `scales_up`: at least one. `follows`: any, but every "
        "one as the policy says.",
    )
    at_least_ready: Count = Field(
        default=2, ge=1, le=1000, description="Fewest web pods Ready before the fault; fewer is no test."
    )
    before_s: SecondsFloat = Field(
        default=45.0, ge=15, le=600, description="Seconds of load before the fault: what it is compared with."
    )
    after_s: SecondsFloat = Field(
        default=60.0, ge=15, le=600, description="Seconds of load after the fault has been lifted."
    )
    judged_s: SecondsFloat = Field(
        default=60.0, ge=10, le=600, description="Seconds from landing that are judged, if the fault is over."
    )
    new_pods: Literal["not_hit", "hit"] = Field(
        default="not_hit",
        description="Whether pods born during the fault are hit too (only Schedules choose again).",
    )
    needs: tuple[Literal["netem", "toda", "tproxy", "fake_clock", "dns_server", "host_engine"], ...] = Field(
        default=(), description="What kernel or injector must be able to do; where not, nothing can land."
    )
