"""Which sample led to a decision.

With the metric rps KEDA asks Prometheus, which shows a sample from the moment it scraped it: the cause is the
newest scrape of a web pod before the decision, visible at once. The rest of this is about CPU.

Kubelets take a sample, metrics-server scrapes it, and the autoscaler reads it at its next sync. The record
holds each sample with the kubelet's own timestamp and the moment at which the recorder, polling the same
API, first saw it. The autoscaler is taken to have read the newest sample the recorder had seen by then.

Polling leaves one doubt: a set that became visible between two polls, and that the autoscaler read before
the recorder did. The autoscaler's status settles it, for it reports the use it computed: where that use
matches the set seen just after the decision, and not the one before, the later set is the cause.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import polars as pl

from tidegate.run import Rescale, RunReader

POLL_S = 3.0
"""Most seconds from visible until the recorder has seen it: its polling interval and a margin."""
_NEAR_PERCENT = 1
RPS_WINDOW_S = 15.0
"""Seconds over which KEDA's query takes the rate (charts/tidegate-service, scaledobjects.yaml)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The sample that led to a decision."""

    sample_s: float
    """When the kubelet took it, unix seconds."""
    visible_s: float
    """When it was first seen in the metrics API, at most the decision's own time."""
    window_s: float | None


class CpuSamples:
    """The CPU samples of `pods`, each once, with the moment it was first seen."""

    def __init__(self, run: RunReader, pods: Collection[str]) -> None:
        rows = run.metrics("pod_cpu_cores")
        named = {text: _pod(text) for text in rows["labels"].unique()}
        wanted = [text for text, pod in named.items() if pod in pods]
        self._request_cores = run.plan.policy.web.cpu_request_m / 1000
        self._rows = (
            rows.filter(pl.col("labels").is_in(wanted))
            .group_by("labels", "t_s")
            .agg(pl.col("received_s").min(), pl.col("value").first(), pl.col("window_s").first())
            .sort("t_s", "received_s", "labels")
        )

    def cause_of(self, rescale: Rescale) -> Sample | None:
        """Return the sample that led to `rescale`, or None when none had been seen."""
        decided_s = rescale.t_s
        seen = self._rows.filter(pl.col("received_s") <= decided_s)
        just_after = self._rows.filter(
            (pl.col("received_s") <= decided_s + POLL_S) & (pl.col("t_s") <= decided_s)
        )
        chosen = seen
        reported = rescale.cpu_percent
        if (
            reported is not None
            and just_after.height > seen.height
            and not self._matches(seen, reported)
            and self._matches(just_after, reported)
        ):
            chosen = just_after
        if chosen.is_empty():
            return None
        newest = chosen.filter(pl.col("t_s") == pl.col("t_s").max()).row(0, named=True)
        visible_s = min(float(newest["received_s"]), decided_s)
        window_s: float | None = newest["window_s"]
        return Sample(min(float(newest["t_s"]), visible_s), visible_s, window_s)

    def _matches(self, rows: pl.DataFrame, reported_percent: int) -> bool:
        """Whether the newest scrape in `rows` has the use that the autoscaler reported, give or take one."""
        if rows.is_empty():
            return False
        # One scrape covers all nodes, and each pod's newest sample is in it; a pod that is gone is not.
        last = rows.group_by("labels").agg(pl.col("value").last(), pl.col("t_s").last())
        newest_s: Any = last["t_s"].max()
        current = last.filter(pl.col("t_s") > newest_s - _SCRAPE_S)
        percent = int(float(current["value"].sum()) * 100 / (self._request_cores * current.height))
        return abs(percent - reported_percent) <= _NEAR_PERCENT


class RpsSamples:
    """The scrapes of the web pods' request counters that the recorder has seen."""

    def __init__(self, run: RunReader) -> None:
        self._rows = run.metrics("http_rps").select("t_s").unique().sort("t_s")

    def cause_of(self, rescale: Rescale) -> Sample | None:
        """Return the newest scrape before `rescale`, or None when none had been seen."""
        before = self._rows.filter(pl.col("t_s") <= rescale.t_s)
        if before.is_empty():
            return None
        at_s = float(before["t_s"][-1])
        return Sample(at_s, at_s, RPS_WINDOW_S)


_SCRAPE_S = 30.0
"""Kubelets sample a container at least this often, idle ones too (10 to 30 s with its jitter)."""


def _pod(labels: str) -> str:
    return str(json.loads(labels).get("pod", ""))
