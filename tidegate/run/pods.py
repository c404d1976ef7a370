"""The life of each pod, and how many were Ready when.

Times are those at which the recorder received the watch event, because the API's own are cut to whole
seconds and come from several components: parts of a scale-out that last 0.2 s would vanish in them. The
recorder's are one clock in milliseconds, and late by the API server's delivery, a few milliseconds. They
are checked against the API's: an event received more than `LATE_S` after the second that the API names was
not seen as it happened (the pod was there before the recorder, or a watch had broken). Its mark is then
the middle of the API's second, and is named in `PodLife.from_api`.

Events of one pod may be merged on the way (created and scheduled in one record), and two marks may then be
equal; they are never out of order, because each is raised to the one before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.run.format import WEB_COMPONENT
from tidegate.run.objects import condition, dig, items, moment_s, text
from tidegate.run.reader import RunReader
from tidegate.run.records import ClusterRecord

LATE_S = 2.0
"""Most seconds a delivery may take; beyond, the receipt does not tell when it happened."""

Span = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class PodLife:
    """When what happened to one pod, unix seconds; None for what was not seen (yet)."""

    name: str
    uid: str
    component: str
    """Value of the label `app.kubernetes.io/component`; empty without one."""
    node: str | None
    created_s: float
    scheduled_s: float | None
    started_s: float | None
    """When all its containers had been started."""
    ready_s: float | None
    """When it first was Ready."""
    deleting_s: float | None
    """When its deletion was asked for."""
    gone_s: float | None
    ready_spans: tuple[Span, ...]
    """From when until when it was Ready and not being deleted; None: until the record ends."""
    from_api: frozenset[str]
    """Marks known only to half a second, for example `created`."""


@dataclass
class _Observed:
    name: str
    uid: str
    component: str = ""
    node: str | None = None
    marks: dict[str, float] = field(default_factory=dict[str, float])
    from_api: set[str] = field(default_factory=set[str])
    spans: list[Span] = field(default_factory=list[Span])

    def mark(self, name: str, api_s: float | None, received_s: float, *after: str) -> None:
        """Note the first time of `name`, not before the marks `after`."""
        if name in self.marks:
            return
        at_s = received_s
        if api_s is not None and received_s > api_s + 1 + LATE_S:
            at_s = api_s + 0.5
            self.from_api.add(name)
        self.marks[name] = max([at_s, *(self.marks[earlier] for earlier in after if earlier in self.marks)])

    def see(self, record: ClusterRecord) -> None:
        """Take in one record of the pod."""
        pod, received_s = record.object, record.received_s
        self.component = text(pod, "metadata", "labels", "app.kubernetes.io/component") or self.component
        self.node = text(pod, "spec", "nodeName") or self.node
        self.mark("created", moment_s(pod, "metadata", "creationTimestamp"), received_s)
        self._progress(pod, received_s)
        if text(pod, "metadata", "deletionTimestamp"):
            # deletionTimestamp is when the grace ends, not when the deletion was asked for.
            ends_s = moment_s(pod, "metadata", "deletionTimestamp")
            grace = dig(pod, "metadata", "deletionGracePeriodSeconds")
            asked_s = ends_s - grace if ends_s is not None and isinstance(grace, int) else None
            self.mark("deleting", asked_s, received_s, "created")
        if record.type == "DELETED":
            self.mark("deleting", None, received_s, "created")
            self.mark("gone", None, received_s, "deleting")
        self._serving(pod, received_s)

    def _progress(self, pod: dict[str, Any], received_s: float) -> None:
        scheduled, ready = condition(pod, "PodScheduled"), condition(pod, "Ready")
        if scheduled is not None and scheduled.get("status") == "True":
            self.mark("scheduled", moment_s(scheduled, "lastTransitionTime"), received_s, "created")
        begun = [_started_s(status) for status in items(pod, "status", "containerStatuses")]
        if begun and all(known for known, _ in begun):
            moments = [at_s for _, at_s in begun if at_s is not None]
            self.mark("started", max(moments, default=None), received_s, "created", "scheduled")
        if ready is not None and ready.get("status") == "True":
            at_s = moment_s(ready, "lastTransitionTime")
            self.mark("ready", at_s, received_s, "created", "scheduled", "started")

    def _serving(self, pod: dict[str, Any], received_s: float) -> None:
        ready = condition(pod, "Ready")
        serving = ready is not None and ready.get("status") == "True" and "deleting" not in self.marks
        open_span = bool(self.spans) and self.spans[-1][1] is None
        if serving and not open_span:
            begin_s = received_s if self.spans else self.marks["ready"]
            self.spans.append((begin_s, None))
        elif open_span and not serving:
            begin_s = self.spans[-1][0]
            # A deletion that was seen late ended the span when it was asked for.
            end_s = min(received_s, self.marks.get("deleting", received_s))
            self.spans[-1] = (begin_s, max(begin_s, end_s))

    def life(self) -> PodLife:
        """Return what is known."""
        return PodLife(
            name=self.name,
            uid=self.uid,
            component=self.component,
            node=self.node,
            created_s=self.marks["created"],
            scheduled_s=self.marks.get("scheduled"),
            started_s=self.marks.get("started"),
            ready_s=self.marks.get("ready"),
            deleting_s=self.marks.get("deleting"),
            gone_s=self.marks.get("gone"),
            ready_spans=tuple(self.spans),
            from_api=frozenset(self.from_api),
        )


def is_ready(pod: Mapping[str, Any]) -> bool:
    """Whether the pod, as the API gives it, is Ready and not being deleted."""
    ready = condition(pod, "Ready")
    return (
        ready is not None and ready.get("status") == "True" and not dig(pod, "metadata", "deletionTimestamp")
    )


def _started_s(status: dict[str, Any]) -> tuple[bool, float | None]:
    """Return whether the container has been started, and when as the API says."""
    for path in (("state", "running"), ("state", "terminated"), ("lastState", "terminated")):
        if dig(status, *path) is not None:
            return True, moment_s(status, *path, "startedAt")
    return False, None


def pod_lives(run: RunReader, component: str | None = None) -> list[PodLife]:
    """Return the lives of the pods of `component`, or of all, in the order of creation."""
    observed: dict[str, _Observed] = {}
    records = (record for record in run.cluster() if record.kind == "Pod")
    for record in sorted(records, key=lambda record: record.received_s):
        name = text(record.object, "metadata", "name")
        uid = text(record.object, "metadata", "uid") or name
        observed.setdefault(uid, _Observed(name, uid)).see(record)
    lives = [pod.life() for pod in observed.values()]
    return sorted(
        (life for life in lives if component is None or life.component == component),
        key=lambda life: (life.created_s, life.name),
    )


@dataclass(frozen=True, slots=True)
class ReadyPoint:
    """From `t_s` on, `ready` pods were Ready and not being deleted."""

    t_s: float
    ready: int


def ready_series(run: RunReader, component: str = WEB_COMPONENT) -> list[ReadyPoint]:
    """Return the steps of the number of Ready pods of `component`."""
    return ready_steps(pod_lives(run, component))


def ready_steps(lives: Iterable[PodLife]) -> list[ReadyPoint]:
    """Return the steps of the number of Ready pods among `lives`; changes at one moment are one step."""
    changes: dict[float, int] = {}
    for life in lives:
        for begin_s, end_s in life.ready_spans:
            changes[begin_s] = changes.get(begin_s, 0) + 1
            if end_s is not None:
                changes[end_s] = changes.get(end_s, 0) - 1
    steps, ready = list[ReadyPoint](), 0
    for t_s in sorted(changes):
        if changes[t_s]:
            ready += changes[t_s]
            steps.append(ReadyPoint(t_s, ready))
    return steps


def peak_ready(steps: Iterable[ReadyPoint], start_s: float) -> int:
    """Return the most pods that were Ready at once at or after `start_s`."""
    peak, before = 0, 0
    for step in steps:
        if step.t_s <= start_s:
            before = step.ready
        else:
            peak = max(peak, step.ready)
    return max(peak, before)
