"""What one Run of a scale-out benchmark says, and what all of them say together.

The time that counts is a user's: from the step in offered load until the asked number of web pods was Ready.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from tidegate.lag import UP_MARKS, NodePath, ScaleEvent, breakdown, node_paths
from tidegate.lag.event import raised
from tidegate.models.base import Model
from tidegate.run import PodLife, RunReader, nearest_rank, pod_lives, ready_steps
from tidegate.run.format import WEB_COMPONENT

PARTS = ("metric", "decision", "create", "schedule", "start", "ready")
"""Of the way of the pod that made it the asked number: from the step until the sample that led to that pod
was visible, until the autoscaler decided, then as in `tidegate.lag`."""


class Decision(Model):
    """One change of the replicas that the autoscaler asked for, after the step."""

    after_s: float = Field(description="Seconds after the step.")
    from_replicas: int
    to_replicas: int
    parts_s: dict[str, float] = Field(description="Of its last pod; see `tidegate lag`.")
    total_s: float | None


class NodeAdded(Model):
    """One node that came for it."""

    node: str
    parts_s: dict[str, float]
    total_s: float | None


class ScaleRun(Model):
    """One step of load and what came of it. Times in seconds."""

    run: str = Field(description="The Run's folder.")
    began_with: int = Field(description="Ready web pods at the step.")
    most_ready: int
    seconds: float | None = Field(
        description="From the step until the asked number was Ready; null when it never was."
    )
    parts_s: dict[str, float] = Field(
        description="Of the pod that made it that number; they add up to `seconds`. Empty when it never was."
    )
    last_pod: str | None
    decisions: tuple[Decision, ...]
    nodes: tuple[NodeAdded, ...]
    requests: int = Field(description="Meant to start within the load window.")
    failed: int


class ScaleFigures(Model):
    """All runs of one benchmark."""

    from_replicas: int
    to_replicas: int
    reached: int = Field(description="Runs in which the asked number was Ready.")
    p50_s: float | None = Field(description="Nearest-rank; a run that never got there counts as the longest.")
    p95_s: float | None = Field(description="As p50_s; null when it falls on a run that never got there.")
    requests: int
    failed: int
    runs: tuple[ScaleRun, ...]


def scale_run(folder: Path, to_replicas: int) -> ScaleRun:
    """Return the figures of the Run at `folder`, whose scenario has one step.

    Raises:
        TidegateError: a file of the Run is damaged.
    """
    run = RunReader(folder)
    step_s = step_of(run)
    lives = pod_lives(run, WEB_COMPONENT)
    steps = ready_steps(lives)
    before = [point.ready for point in steps if point.t_s <= step_s]
    began_with = before[-1] if before else 0
    after = [point for point in steps if point.t_s > step_s]
    reached_s = next((point.t_s for point in after if point.ready >= to_replicas), None)
    events = [event for event in breakdown(run) if event.direction == "up" and event.t_s >= step_s]
    last = _ready_at(lives, reached_s)
    requests = run.window_requests()
    return ScaleRun(
        run=str(folder),
        began_with=began_with,
        most_ready=max([began_with, *(point.ready for point in after)]),
        seconds=None if reached_s is None else reached_s - step_s,
        parts_s=_parts(step_s, reached_s, last, events),
        last_pod=last.name if last else None,
        decisions=tuple(_decision(event, step_s) for event in events),
        nodes=tuple(_node(path) for path in node_paths(run)),
        requests=requests.height,
        failed=int(requests.filter(~pl.col("ok")).height),
    )


def together(runs: Sequence[ScaleRun], from_replicas: int, to_replicas: int) -> ScaleFigures:
    """Return the figures over all `runs`, of which there is at least one."""
    times = sorted(math.inf if run.seconds is None else run.seconds for run in runs)

    def percentile(rank: float) -> float | None:
        value = nearest_rank(times, rank)
        return value if math.isfinite(value) else None

    return ScaleFigures(
        from_replicas=from_replicas,
        to_replicas=to_replicas,
        reached=sum(run.seconds is not None for run in runs),
        p50_s=percentile(50),
        p95_s=percentile(95),
        requests=sum(run.requests for run in runs),
        failed=sum(run.failed for run in runs),
        runs=tuple(runs),
    )


def step_of(run: RunReader) -> float:
    """Return when the load stepped up: the first intended start of a user that was not there from the start.

    Users of the steady load begin with the load window; those of the step come `warm_s` later. Unix seconds;
    the window's own start when nobody came later.
    """
    rows = run.requests()
    start_s = run.plan.load_window_s[0] if run.plan.load_window_s else 0.0
    warm_s = _seconds(run.plan.scenario_parameters.get("warm_s"))
    firsts: pl.DataFrame = rows.group_by("user").agg(pl.col("intended_start_s").min())
    later = firsts.filter(pl.col("intended_start_s") > start_s + warm_s / 2)
    earliest: Any = later["intended_start_s"].min()
    return start_s if earliest is None else float(earliest)


def _seconds(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0


def _ready_at(lives: Sequence[PodLife], at_s: float | None) -> PodLife | None:
    """Return the pod that was first Ready at `at_s`."""
    return next((life for life in lives if at_s is not None and life.ready_s == at_s), None)


def _parts(
    step_s: float, reached_s: float | None, last: PodLife | None, events: Sequence[ScaleEvent]
) -> dict[str, float]:
    if reached_s is None or last is None:
        return {}
    paths = [path for event in events for path in event.paths if path.pod == last.name]
    if not paths:
        return {}
    seen = dict(zip(UP_MARKS, paths[0].marks_s, strict=True))
    wanted = [seen[name] for name in ("visible", "decided", "created", "scheduled", "started")]
    marks = raised([step_s, *wanted, reached_s])
    if None in marks:
        return {}
    return {
        part: later - earlier
        for part, (earlier, later) in zip(PARTS, pairwise(marks), strict=True)
        if earlier is not None and later is not None
    }


def _decision(event: ScaleEvent, step_s: float) -> Decision:
    return Decision(
        after_s=event.t_s - step_s,
        from_replicas=event.from_replicas,
        to_replicas=event.to_replicas,
        parts_s=event.parts_s,
        total_s=event.total_s,
    )


def _node(path: NodePath) -> NodeAdded:
    return NodeAdded(node=path.node, parts_s=path.parts_s, total_s=path.total_s)
