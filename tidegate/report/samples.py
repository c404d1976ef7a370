"""Series that rest on metric samples: CPU, the queue, the generator."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, cast

import polars as pl

from tidegate.report.breach import cpu_limit_percent
from tidegate.report.frame import Frame
from tidegate.report.model import XY, CpuSeries, PodLine
from tidegate.report.thin import extremes, line
from tidegate.run import RunReader

MOST_PODS = 60
MOST_CPU_POINTS = 24_000
STALE_S = 30.0
"""Age beyond which a pod's sample no longer counts in the mean; kubelets sample at least this often."""


def metric_chart(run: RunReader, name: str, frame: Frame, factor: float = 1.0) -> XY | None:
    """Return series `name` over the domain; where several share a moment (workers, say), their largest."""
    rows = _inside(run.metrics(name), frame).group_by("t_s").agg(pl.col("value").max()).sort("t_s")
    if rows.is_empty():
        return None
    return extremes(
        [frame.x(t_s) for t_s in rows["t_s"].to_list()], [value * factor for value in rows["value"].to_list()]
    )


def peak(run: RunReader, name: str, frame: Frame) -> float | None:
    """Return the largest sample of series `name` within the load window."""
    rows = run.metrics(name).filter(pl.col("t_s").is_between(*frame.window_s))
    return None if rows.is_empty() else float(rows["value"].sort()[-1])


def _inside(rows: pl.DataFrame, frame: Frame) -> pl.DataFrame:
    return rows.filter(pl.col("t_s").is_between(*frame.domain_s))


def _label(labels: str, key: str) -> str:
    try:
        found: object = json.loads(labels)
    except ValueError:
        return ""
    return str(cast("dict[str, Any]", found).get(key, "")) if isinstance(found, dict) else ""


def cpu_chart(run: RunReader, web: Collection[str], reported: XY, frame: Frame) -> CpuSeries | None:
    """Return CPU of the web pods, percent of their request, their mean, and what the autoscaler reported.

    Where no pod was recorded, the pods whose container is named `web` are taken.
    """
    rows = _inside(run.metrics("pod_cpu_cores"), frame)
    known = {text: (_label(text, "pod"), _label(text, "container")) for text in rows["labels"].unique()}
    chosen = {
        text: pod for text, (pod, container) in known.items() if (pod in web if web else container == "web")
    }
    if not chosen and not reported.x:
        return None
    each = (
        rows.filter(pl.col("labels").is_in(list(chosen)))
        .group_by("labels", "t_s")
        .agg(pl.col("value").first(), pl.col("received_s").min())
        .sort("received_s", "t_s", "labels")
        .with_columns(percent=pl.col("value") * (100_000 / run.plan.policy.web.cpu_request_m))
    )
    lines: list[PodLine] = []
    # Without any recorded pod partition_by gives one empty part.
    parts = {chosen[str(part["labels"][0])]: part for part in each.partition_by("labels") if part.height}
    most = max(20, MOST_CPU_POINTS // max(1, min(MOST_PODS, len(parts))))
    for pod in sorted(parts)[:MOST_PODS]:
        part = parts[pod].sort("t_s")
        thin = extremes([frame.x(t) for t in part["t_s"].to_list()], part["percent"].to_list(), most)
        lines.append(PodLine(pod=pod, x=thin.x, y=thin.y))
    return CpuSeries(
        target_percent=run.plan.policy.web.hpa.cpu_target_percent,
        band_percent=cpu_limit_percent(run),
        pods=tuple(lines),
        pods_not_shown=len(parts) - len(lines),
        mean=_mean(each, frame),
        reported=reported,
    )


def _mean(each: pl.DataFrame, frame: Frame) -> XY:
    """Return the mean over pods after each poll, of each pod's newest sample that is not stale."""
    newest: dict[str, tuple[float, float]] = {}
    points: dict[float, float] = {}
    for poll in each.partition_by("received_s", maintain_order=True):
        for pod, t_s, percent in poll.select("labels", "t_s", "percent").iter_rows():
            newest[pod] = (t_s, percent)
        if not newest:
            continue
        last_s = max(t_s for t_s, _ in newest.values())
        fresh = [percent for t_s, percent in newest.values() if t_s > last_s - STALE_S]
        points[frame.x(last_s)] = sum(fresh) / len(fresh)
    x = sorted(points)
    return extremes(x, [points[one] for one in x]) if x else line([], [])
