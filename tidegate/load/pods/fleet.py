"""The pods of one load, followed from outside: who is there, how they do, and that their record comes out."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tidegate.load.pods.agent import LOG_FILE
from tidegate.load.pods.api import LoadApi, SilentError
from tidegate.load.pods.clocks import Offset, compare
from tidegate.load.pods.collect import Collector, PodState
from tidegate.load.pods.names import COMPONENT_LABEL, MASTER
from tidegate.run.objects import condition, dig, items, text

SILENT_S = 45.0
"""Seconds without an answer of its agent after which a pod counts as lost, as on a node that is away."""
_AT_ONCE = 8
"""Pods asked at a time: one that is silent must not keep the others waiting."""
_ENDED = ("Failed", "Succeeded")
_BEGUN = ("Running", *_ENDED)


@dataclass
class Member:
    """One pod."""

    name: str
    role: str
    collector: Collector
    address: str
    state: PodState | None = None
    """What its agent last told; None before the first answer."""
    heard_s: float = field(default_factory=time.time)
    """When it was last heard of, unix seconds."""
    lost: str = ""
    """Why nothing more is to come of it; empty while that is not known."""
    clocks: list[Offset] = field(default_factory=list[Offset])

    @property
    def done(self) -> bool:
        """Whether it has ended and all of its record is here."""
        return self.state is not None and self.state.complete

    @property
    def over(self) -> bool:
        """Whether nothing more is to come of it."""
        return self.done or bool(self.lost)


class Fleet:
    """The pods of one load.

    Args:
        api: the cluster's.
        load: the load's name.
        folder: the Run's.
    """

    def __init__(self, api: LoadApi, load: str, folder: Path) -> None:
        self._api, self._load, self._folder = api, load, folder
        self._members: dict[str, Member] = {}
        self._waiting: list[str] = []
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="pods")

    def close(self) -> None:
        """Ask nobody any more."""
        self._pool.shutdown(cancel_futures=True)

    @property
    def members(self) -> list[Member]:
        """Every pod that has run, lost ones too."""
        return list(self._members.values())

    @property
    def master(self) -> Member | None:
        """The pod that directs, once it runs."""
        return next((each for each in self.members if each.role == MASTER), None)

    @property
    def workers(self) -> list[Member]:
        """The pods that generate, those that were lost too."""
        return [each for each in self.members if each.role != MASTER]

    @property
    def waiting(self) -> str:
        """What the pods that do not run yet wait for, in the cluster's own words."""
        return "; ".join(self._waiting)

    def turn(self) -> None:
        """Look who is there, and take what they have recorded since.

        Raises:
            TidegateError: the cluster does not answer, or the record cannot be written here.
        """
        pods = self._api.pods(self._load)
        self._waiting = sorted(
            f"{text(pod, 'metadata', 'name')}: {_reason(pod)}"
            for pod in pods
            if text(pod, "status", "phase") not in _BEGUN
        )
        for pod in pods:
            self._meet(pod)
        here = {text(pod, "metadata", "uid"): pod for pod in pods}
        asked = [each for each in self._members.values() if not each.over]
        list(self._pool.map(self._ask, asked))
        for uid, member in self._members.items():
            if not member.over:
                member.lost = _why_lost(member, here.get(uid))

    def stop(self) -> None:
        """Ask the master to end the load."""
        if self.master is not None and not self.master.over:
            self._tell([self.master], "/stop")

    def release(self) -> None:
        """Let the pods go whose record is here."""
        self._tell([each for each in self.members if each.done], "/release")

    def compare_clocks(self) -> None:
        """Compare the clocks of all that answer with this machine's."""
        list(self._pool.map(self._compare, [each for each in self.members if not each.lost]))

    def _meet(self, pod: dict[str, Any]) -> None:
        uid, name = text(pod, "metadata", "uid"), text(pod, "metadata", "name")
        address, phase = text(pod, "status", "podIP"), text(pod, "status", "phase")
        if uid in self._members or phase not in _BEGUN or (phase not in _ENDED and not address):
            return
        role = text(pod, "metadata", "labels", COMPONENT_LABEL)
        log = LOG_FILE if role == MASTER else f"locust-{name}.log"
        collector = Collector(
            self._folder, name, uid, log, lambda path, query: self._api.agent("GET", name, path, query)
        )
        self._members[uid] = Member(name, role, collector, address)

    def _ask(self, member: Member) -> None:
        try:
            if not member.clocks:
                self._compare(member)
            member.state = member.collector.pull()
            member.heard_s = time.time()
        except SilentError:
            return  # it is asked again; how long it has been silent decides

    def _compare(self, member: Member) -> None:
        def told_s() -> float:
            answer = self._api.agent("GET", member.name, "/clock")
            return float(cast("dict[str, Any]", answer.json())["time_s"])

        try:
            member.clocks.append(compare(told_s))
        except (SilentError, KeyError, TypeError, ValueError):
            return  # a clock that cannot be read is one that nobody vouches for

    def _tell(self, members: Iterable[Member], path: str) -> None:
        for member in members:
            try:
                self._api.agent("POST", member.name, path)
            except SilentError:
                continue  # the Jobs are removed in the end, whoever heard


def _why_lost(member: Member, pod: dict[str, Any] | None) -> str:
    """Return why nothing more is to come of a pod, empty while there may be more."""
    if pod is None:
        return "its pod was deleted"
    if text(pod, "status", "phase") in _ENDED:
        return _end(pod)
    silent_s = time.time() - member.heard_s
    return f"it was silent for {silent_s:.0f} s" if silent_s > SILENT_S else ""


def _end(pod: dict[str, Any]) -> str:
    """Return how a pod ended, in the cluster's words."""
    said = text(pod, "status", "reason")
    for each in items(pod, "status", "containerStatuses"):
        reason, code = (
            text(each, "state", "terminated", "reason"),
            dig(each, "state", "terminated", "exitCode"),
        )
        said = said or (f"{reason or 'ended'}, exit code {code}" if code is not None else "")
    return f"its pod ended: {said or text(pod, 'status', 'phase')}"


def _reason(pod: dict[str, Any]) -> str:
    """Return what a pod that does not run waits for."""
    for each in items(pod, "status", "containerStatuses"):
        said = text(each, "state", "waiting", "message") or text(each, "state", "waiting", "reason")
        if said:
            return said
    scheduled = condition(pod, "PodScheduled")
    return text(scheduled, "message") or "starting"
