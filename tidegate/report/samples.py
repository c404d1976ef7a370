"""Series that rest on metric samples: CPU, the queue, the generator."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, cast

import polars as pl

from tidegate.report.breach import cpu_limit_percent
from tidegate.report.frame import Frame
from tidegate.report.model import XY, CpuSeries, PodLine
from tidegate.report.thin import extremes
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


def web_cpu(run: RunReader, web: Collection[str]) -> pl.DataFrame:
    """Return each CPU sample of the web pods once: `pod`, `t_s`, `received_s` (first seen), `percent`.

    A pod that no watch told of is known by its container's name.
    """
    rows = run.metrics("pod_cpu_cores")
    known = {text: (_label(text, "pod"), _label(text, "container")) for text in rows["labels"].unique()}
    chosen = {text: pod for text, (pod, container) in known.items() if pod in web or container == "web"}
    return (
        rows.filter(pl.col("labels").is_in(list(chosen)))
        .with_columns(pod=pl.col("labels").replace_strict(chosen, default="", return_dtype=pl.String()))
        .group_by("pod", "labels", "t_s")
        .agg(pl.col("value").first(), pl.col("received_s").min())
        # The containers of a pod have one timestamp, and the autoscaler adds them up.
        .group_by("pod", "t_s")
        .agg(pl.col("value").sum(), pl.col("received_s").min())
        .sort("received_s", "t_s", "pod")
        .select(
            "pod",
            "t_s",
            "received_s",
            percent=pl.col("value") * (100_000 / run.plan.policy.web.cpu_request_m),
        )
    )


def cpu_chart(run: RunReader, each: pl.DataFrame, reported: XY, frame: Frame) -> CpuSeries | None:
    """Return CPU of the web pods (see `web_cpu`), their mean, and what the autoscaler reported."""
    inside = _inside(each, frame)
    if inside.is_empty() and not reported.x:
        return None
    lines: list[PodLine] = []
    # Of an empty frame partition_by gives one empty part.
    parts = {str(part["pod"][0]): part for part in inside.partition_by("pod") if part.height}
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
        mean=_mean_chart(each, frame),
        reported=reported,
    )


def mean_cpu(each: pl.DataFrame) -> list[tuple[float, float]]:
    """Return the mean over pods after each poll: time of its newest sample, and percent.

    Of each pod its newest sample counts, as long as it is not stale.
    """
    newest: dict[str, tuple[float, float]] = {}
    means: dict[float, float] = {}
    for poll in each.partition_by("received_s", maintain_order=True):
        for pod, t_s, percent in poll.select("pod", "t_s", "percent").iter_rows():
            newest[pod] = (t_s, percent)
        if not newest:
            continue
        last_s = max(t_s for t_s, _ in newest.values())
        fresh = [percent for t_s, percent in newest.values() if t_s > last_s - STALE_S]
        means[last_s] = sum(fresh) / len(fresh)
    return sorted(means.items())


def _mean_chart(each: pl.DataFrame, frame: Frame) -> XY:
    first_s, last_s = frame.domain_s
    inside = [(frame.x(t_s), mean) for t_s, mean in mean_cpu(each) if first_s <= t_s <= last_s]
    return extremes([x for x, _ in inside], [mean for _, mean in inside])
