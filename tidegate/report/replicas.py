"""How many web pods were asked for and Ready, and what each pod went through."""

from __future__ import annotations

from itertools import pairwise

from tidegate.report.frame import Frame
from tidegate.report.model import XY, Lane, Replicas
from tidegate.report.thin import steps
from tidegate.run import HpaPoint, PodLife, ReadyPoint, peak_desired, peak_ready

MOST_LANES = 300


def replicas(ready: list[ReadyPoint], points: list[HpaPoint], frame: Frame) -> Replicas:
    """Return the extremes and the area under the number of Ready web pods."""
    start_s, end_s = frame.window_s
    asked = peak_desired(points, start_s) if points else None
    if not ready:
        return Replicas(
            min_ready=None, peak_ready=None, peak_desired=asked, ready_pod_s=None, held_at_peak_s=None
        )
    inside = [(start_s, value_at(ready, start_s))]
    inside += [(point.t_s, point.ready) for point in ready if start_s < point.t_s < end_s]
    inside.append((end_s, inside[-1][1]))
    area_s = sum(count * (after_s - t_s) for (t_s, count), (after_s, _) in pairwise(inside))
    within = max(count for _, count in inside)
    return Replicas(
        min_ready=min(count for _, count in inside),
        peak_ready=peak_ready(ready, start_s),
        peak_desired=asked,
        ready_pod_s=area_s,
        held_at_peak_s=within * (end_s - start_s),
    )


def value_at(ready: list[ReadyPoint], t_s: float) -> int:
    """Return how many were Ready at `t_s`."""
    return next((point.ready for point in reversed(ready) if point.t_s <= t_s), 0)


def ready_chart(ready: list[ReadyPoint], frame: Frame) -> XY | None:
    """Return the step line of Ready web pods over the domain."""
    return _stepped([(point.t_s, point.ready) for point in ready], frame)


def desired_chart(points: list[HpaPoint], frame: Frame) -> XY | None:
    """Return the step line of desired replicas over the domain."""
    return _stepped([(point.t_s, point.desired) for point in points if point.desired], frame)


def reported_chart(points: list[HpaPoint], frame: Frame) -> XY:
    """Return the step line of the CPU use that the autoscaler reported."""
    known = [(point.t_s, point.cpu_percent) for point in points if point.cpu_percent is not None]
    return _stepped(known, frame) or XY(x=(), y=())


def _stepped(changes: list[tuple[float, int]], frame: Frame) -> XY | None:
    first_s, last_s = frame.domain_s
    before = [value for t_s, value in changes if t_s <= first_s]
    inside = [(t_s, value) for t_s, value in changes if first_s < t_s <= last_s]
    if before:
        inside.insert(0, (first_s, before[-1]))
    if not inside:
        return None
    thin = steps([frame.x(t_s) for t_s, _ in inside], [value for _, value in inside])
    end_x = frame.domain_x[1]
    return XY(x=(*thin.x, end_x), y=(*thin.y, thin.y[-1])) if thin.x[-1] < end_x else thin


def lanes(
    lives: list[PodLife], served: dict[str, tuple[int, int]], frame: Frame
) -> tuple[tuple[Lane, ...], int]:
    """Return the lives that reach into the domain, by node, and how many more there are."""
    shown = [
        life
        for life in lives
        if life.created_s <= frame.domain_s[1] and (life.gone_s is None or life.gone_s >= frame.domain_s[0])
    ]
    kept = sorted(shown[:MOST_LANES], key=lambda life: (life.node or "~", life.created_s, life.name))
    return tuple(
        Lane(
            pod=life.name,
            component=life.component,
            node=life.node,
            created_t_s=life.created_s,
            scheduled_t_s=life.scheduled_s,
            started_t_s=life.started_s,
            ready_t_s=life.ready_s,
            deleting_t_s=life.deleting_s,
            gone_t_s=life.gone_s,
            ready_spans=life.ready_spans,
            rough=tuple(sorted(life.from_api)),
            requests=served.get(life.name, (0, 0))[0],
            failed=served.get(life.name, (0, 0))[1],
        )
        for life in kept
    ), len(shown) - len(kept)
