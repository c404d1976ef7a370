"""When objectives were first and last broken, and how long it took until help was there.

A bucket is in breach of a latency objective when the objective's own percentile of the requests meant to
start in it is above the threshold, and at least two requests are: one slow request among twenty is no
breach. The breach begins with the intended start of the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from tidegate.lag import ScaleEvent
from tidegate.models import LatencyObjective
from tidegate.report.frame import Frame
from tidegate.report.model import Breach, Reaction
from tidegate.report.requests import LATENCY_BUCKET_S
from tidegate.report.words import milliseconds, number
from tidegate.run import RunReader, with_latency
from tidegate.run.percentile import percentile_of

LEAST_SLOW = 2


@dataclass(frozen=True, slots=True)
class Breaches:
    """What was found for one objective."""

    objective: LatencyObjective
    first_s: float | None
    last_s: float | None
    """End of the last bucket in breach."""
    over_s: float


def latency_breaches(run: RunReader) -> list[Breaches]:
    """Return the breaches of each latency objective within the load window."""
    timed = with_latency(run.window_requests(), run.plan.slo)
    found: list[Breaches] = []
    for one in run.plan.slo.latency:
        slow = pl.col("latency_ms").round(3) > one.threshold_ms
        buckets = (
            timed.filter(pl.col("route_group") == one.route_group)
            .group_by(t_s=(pl.col("intended_start_s") / LATENCY_BUCKET_S).floor() * LATENCY_BUCKET_S)
            .agg(
                at=percentile_of("latency_ms", one.percentile),
                slow=slow.sum(),
                first_s=pl.col("intended_start_s").filter(slow).min(),
            )
            .filter((pl.col("at").round(3) > one.threshold_ms) & (pl.col("slow") >= LEAST_SLOW))
            .sort("t_s")
        )
        if buckets.is_empty():
            found.append(Breaches(one, None, None, 0.0))
        else:
            last_s = float(buckets["t_s"][-1]) + LATENCY_BUCKET_S
            over_s = buckets.height * LATENCY_BUCKET_S
            found.append(Breaches(one, float(buckets["first_s"][0]), last_s, over_s))
    return found


def cpu_limit_percent(run: RunReader) -> tuple[float, float]:
    """Return below and above which use of the request the autoscaler acts."""
    hpa = run.plan.policy.web.hpa
    up, down = (0.1 if one is None else one for one in (hpa.tolerance_up, hpa.tolerance_down))
    return hpa.cpu_target_percent * (1 - down), hpa.cpu_target_percent * (1 + up)


def reaction(
    run: RunReader,
    frame: Frame,
    breaches: list[Breaches],
    cpu: list[tuple[float, float]],
    events: list[ScaleEvent],
) -> Reaction:
    """Return the first breach, and the first pod of a scale-out that was Ready after it.

    Without a breach of a latency objective the first moment counts at which the mean CPU use of the pods was
    above target and tolerance.

    Args:
        run: the run.
        frame: its frame.
        breaches: those of the latency objectives.
        cpu: mean use of the request by time, percent.
        events: the scale events.
    """
    found = [
        Breach(
            t_s=one.first_s,
            kind="latency",
            what=f"{one.objective.route_group} p{one.objective.percentile:g} "
            f"above {milliseconds(one.objective.threshold_ms)}",
        )
        for one in breaches
        if one.first_s is not None
    ]
    first = min(found, key=lambda breach: breach.t_s, default=None)
    if first is None:
        limit = cpu_limit_percent(run)[1]
        over = next((one for one in cpu if frame.within(one[0]) and one[1] > limit), None)
        if over is not None:
            what = f"CPU at {over[1]:.0f}\u00a0% of the request, above {number(limit)}\u00a0%"
            first = Breach(t_s=over[0], kind="cpu", what=what)
    ready: list[tuple[float, str]] = []
    for event in events:
        for path in event.paths if event.direction == "up" else ():
            ready_s = path.marks_s[path.names.index("ready")]
            if ready_s is not None and first is not None and ready_s >= first.t_s:
                ready.append((ready_s, path.pod))
    ready_s, pod = min(ready, default=(None, None))
    return Reaction(
        breach=first,
        ready_t_s=ready_s,
        ready_pod=pod,
        breach_to_ready_s=ready_s - first.t_s if ready_s is not None and first is not None else None,
        last_breach_t_s=max((one.last_s for one in breaches if one.last_s is not None), default=None),
    )
