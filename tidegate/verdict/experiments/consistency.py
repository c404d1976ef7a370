"""Whether the records of one Run fit each other: clocks, and who served."""

from __future__ import annotations

import polars as pl

from tidegate.verdict.experiments.facts import Record

SKEW_S = 2.0
"""Most seconds that two recorders' clocks may seem apart: who answers had started before."""


def skew(record: Record) -> str:
    """Return how far the recorders' clocks disagree, as a sentence; empty where they agree.

    The generator's clock stamps requests, the observer's the pods: a pod that answers before it had started
    was stamped by another clock. So was a sample from the future.
    """
    started = {life.name: life.started_s or life.ready_s for life in record.web}
    early = 0.0
    requests = record.run.requests()
    firsts = requests.filter(pl.col("pod").is_not_null()).group_by("pod").agg(pl.col("end_s").min())
    for pod, end_s in firsts.iter_rows():
        begun_s = started.get(pod)
        if begun_s is not None:
            early = max(early, begun_s - end_s)
    ahead = record.run.metrics().select((pl.col("t_s") - pl.col("received_s")).max()).item()
    worst = max(early, float(ahead) if ahead is not None else 0.0)
    return f"The recorders' clocks are at least {worst:.1f} s apart." if worst > SKEW_S else ""


def unseen_pods(record: Record) -> str:
    """Return which pods answered and are in no watch event, as a sentence; empty where all are."""
    known = {life.name for life in record.web}
    served = set(record.run.requests()["pod"].drop_nulls().unique().to_list())
    lost = sorted(served - known)
    return f"Pods answered that the watch never saw: {', '.join(lost[:5])}." if lost else ""
