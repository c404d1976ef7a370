"""Find a run's scale events and put each pod's timestamps in a row."""

from __future__ import annotations

from itertools import zip_longest

import polars as pl

from tidegate.lag.event import DOWN_MARKS, UP_MARKS, PodPath, ScaleEvent
from tidegate.lag.samples import CpuSamples, RpsSamples, Sample
from tidegate.run import PodLife, Rescale, RunReader, pod_lives, rescales
from tidegate.run.format import WEB_COMPONENT

OVERTAKE_S = 0.5
"""Most seconds by which a pod's event may arrive before the decision that caused it: two watches."""


class _Requests:
    """First and last request of each pod."""

    def __init__(self, run: RunReader) -> None:
        served = run.requests().filter(pl.col("pod").is_not_null()).select("pod", "start_s", "end_s")
        self._of = {str(part["pod"][0]): part for part in served.partition_by("pod")}

    def first_after(self, pod: str, ready_s: float) -> float | None:
        """Return the earliest start among the pod's requests that ended at `ready_s` or later.

        One that ended before is a sign that Ready was seen late, not that the pod served while unready.
        """
        part = self._of.get(pod)
        later = part.filter(pl.col("end_s") >= ready_s) if part is not None else None
        return None if later is None or later.is_empty() else float(later.sort("start_s")["start_s"][0])

    def last_end(self, pod: str) -> float | None:
        part = self._of.get(pod)
        return None if part is None else float(part.sort("end_s")["end_s"][-1])


def breakdown(run: RunReader) -> list[ScaleEvent]:
    """Return the scale events decided from the start of the load window until the record ends.

    The pods of an event are the first `to - from` web pods created (on the way down, the first
    `from - to` deleted) after its decision and before the next. Without a load window every event counts.
    """
    lives = pod_lives(run, WEB_COMPONENT)
    by_rps = run.plan.policy.web.hpa.metric == "rps"
    samples = RpsSamples(run) if by_rps else CpuSamples(run, {life.name for life in lives})
    requests = _Requests(run)
    start_s = run.plan.load_window_s[0] if run.plan.load_window_s else float("-inf")
    changes = rescales(run)
    events: list[ScaleEvent] = []
    for change, following in zip_longest(changes, changes[1:]):
        end_s = following.t_s - OVERTAKE_S if following is not None else float("inf")
        if change.t_s < start_s:
            continue
        if change.to_replicas > change.from_replicas:
            events.append(_up(change, end_s, lives, samples.cause_of(change), requests))
        else:
            events.append(_down(change, end_s, lives, requests))
    return events


def _up(
    change: Rescale, end_s: float, lives: list[PodLife], cause: Sample | None, requests: _Requests
) -> ScaleEvent:
    wanted = change.to_replicas - change.from_replicas
    born = [life for life in lives if change.t_s - OVERTAKE_S <= life.created_s < end_s][:wanted]
    paths: list[PodPath] = []
    for life in born:
        served_s = requests.first_after(life.name, life.ready_s) if life.ready_s is not None else None
        marks = (
            cause.sample_s if cause else None,
            cause.visible_s if cause else None,
            change.t_s,
            life.created_s,
            life.scheduled_s,
            life.started_s,
            life.ready_s,
            served_s,
        )
        paths.append(PodPath.of(life.name, life.node, UP_MARKS, marks))
    window_s = cause.window_s if cause else None
    return _event(change, window_s, paths, UP_MARKS.index("ready"), wanted)


def _down(change: Rescale, end_s: float, lives: list[PodLife], requests: _Requests) -> ScaleEvent:
    wanted = change.from_replicas - change.to_replicas
    going = sorted(
        (deleting_s, life.name, life)
        for life in lives
        if (deleting_s := life.deleting_s) is not None and change.t_s - OVERTAKE_S <= deleting_s < end_s
    )[:wanted]
    paths: list[PodPath] = []
    for deleting_s, name, life in going:
        # A pod that served nothing after it was told to go was drained at once.
        drained_s = max(deleting_s, requests.last_end(name) or deleting_s)
        if life.gone_s is not None:
            # The client's last byte may be read after the pod is gone.
            drained_s = min(drained_s, max(life.gone_s, deleting_s))
        paths.append(
            PodPath.of(name, life.node, DOWN_MARKS, (change.t_s, deleting_s, drained_s, life.gone_s))
        )
    return _event(change, None, paths, DOWN_MARKS.index("gone"), wanted)


def _event(
    change: Rescale, window_s: float | None, paths: list[PodPath], counts: int, wanted: int
) -> ScaleEvent:
    def passed(path: PodPath) -> tuple[bool, float, str]:
        at_s = path.marks_s[counts]
        return at_s is None, at_s if at_s is not None else 0.0, path.pod

    return ScaleEvent(
        direction="up" if change.to_replicas > change.from_replicas else "down",
        t_s=change.t_s,
        from_replicas=change.from_replicas,
        to_replicas=change.to_replicas,
        cpu_percent=change.cpu_percent,
        sample_window_s=window_s,
        paths=tuple(sorted(paths, key=passed)),
        absent=max(0, wanted - len(paths)),
    )
