"""Whether the records of one Run fit each other: clocks, and who served.

Four clocks take part: the generator's stamps requests, the observer's what it received of the cluster, the
API server's and the kubelets' what they say themselves, and that of `tidegate chaos` the fault. Each is held
against another one in both directions, for a span of time moved by half a minute judges another service.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from tidegate.run.objects import moment_s
from tidegate.verdict.experiments.facts import Fault, Record

SKEW_S = 2.0
"""Most seconds that two recorders' clocks may seem apart: who answers had started before."""
WHOLE_SECOND_S = 1.0
"""The API server cuts its stamps to whole seconds."""
FORCED_S = 5.0
"""Most seconds that a pod still answers whose object was deleted without grace: the kubelet gives it two."""
WRITTEN_S = 10.0
"""Most seconds from a request's end until it is on disk: the generator writes every 2 s, beside its work."""


def skew(record: Record, fault: Fault) -> str:
    """Return how far the recorders' clocks disagree, as a sentence; empty where they agree."""
    found = [*_generator_and_pods(record), *_observer_and_api_server(record), *_generator_and_tool(fault)]
    worst_s, whose = max(found, default=(0.0, ""))
    return f"The recorders' clocks are at least {worst_s:.1f} s apart: {whose}." if worst_s > SKEW_S else ""


def _generator_and_pods(record: Record) -> Iterator[tuple[float, str]]:
    """A pod answers neither before it has started nor after it is gone."""
    started = {life.name: life.started_s or life.ready_s for life in record.web}
    gone = {life.name: life.gone_s for life in record.web}
    answered = record.run.requests().filter(pl.col("pod").is_not_null()).group_by("pod")
    spans = answered.agg(pl.col("end_s").min().alias("first"), pl.col("end_s").max().alias("last"))
    for pod, first_s, last_s in spans.iter_rows():
        begun_s, ended_s = started.get(pod), gone.get(pod)
        if begun_s is not None:
            yield begun_s - first_s, f"{pod} answered before it had started"
        if ended_s is not None:
            yield last_s - ended_s - FORCED_S, f"{pod} answered after it was gone"


def _observer_and_api_server(record: Record) -> Iterator[tuple[float, str]]:
    """What was made is received a moment later, the quickest of it at once."""
    metrics = record.run.metrics()
    ahead_s = metrics.select((pl.col("t_s") - pl.col("received_s")).max()).item()
    if ahead_s is not None:
        yield float(ahead_s), "a sample was received before it was taken"
    delays_s = [
        each.received_s - made_s
        for each in record.cluster
        if each.type == "ADDED" and (made_s := moment_s(each.object, "metadata", "creationTimestamp"))
    ]
    if delays_s:
        least_s = min(delays_s)
        yield -least_s, "an object was received before it was made"
        yield (
            least_s - WHOLE_SECOND_S,
            f"no object was received sooner than {least_s:.1f} s after it was made",
        )


def _generator_and_tool(fault: Fault) -> Iterator[tuple[float, str]]:
    """When the fault was asked for, load was there, and none of it from the future."""
    if fault.newest_request_s is not None:
        behind_s = fault.asked_s - fault.newest_request_s
        yield -behind_s, "a request had ended after the moment at which it was read"
        yield (
            behind_s - WRITTEN_S,
            f"the newest request was {behind_s:.0f} s old when the fault was asked for",
        )


def unseen_pods(record: Record) -> str:
    """Return which pods answered and are in no watch event, as a sentence; empty where all are."""
    known = {life.name for life in record.web}
    served = set(record.run.requests()["pod"].drop_nulls().unique().to_list())
    lost = sorted(served - known)
    return f"Pods answered that the watch never saw: {', '.join(lost[:5])}." if lost else ""
