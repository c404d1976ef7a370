"""The checks of everything but answers: the generator, the queue, and the peak of Ready pods."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise

import polars as pl

from tidegate.models import Check, Outcome
from tidegate.run import RunReader, peak_ready, pod_lives, ready_steps
from tidegate.run.format import WEB_COMPONENT
from tidegate.verdict.soundness import GENERATOR_LAG_MS, Doubt, generator_lag

METRIC_GAP_S = 60.0
"""Seconds without a queue sample that could hide a queue: two scrapes of Prometheus's default 30 s lost."""


def generator(run: RunReader) -> Check:
    """Judge the load generator. It can only be sound or make things doubtful."""
    lag = generator_lag(run)
    if lag is None:
        detail = "No request was recorded in the load window."
    else:
        detail = (
            f"At p99 the generator sent a free user's request {lag.p99_ms:.0f} ms late; "
            f"{lag.queued_percent:.1f} % of requests waited for the answer before, which counts as latency."
        )
        if lag.limits:
            detail = " ".join((detail, *lag.limits))
    return Check(
        name="generator lag p99",
        outcome=Outcome.HELD if lag is not None and lag.sound else Outcome.COULD_NOT_TELL,
        measured=lag.p99_ms if lag else None,
        threshold=GENERATOR_LAG_MS,
        unit="ms",
        detail=detail,
        count=lag.count if lag else 0,
    )


def queue_age(run: RunReader, limit_s: float, doubted: Collection[Doubt]) -> Check:
    """Judge the longest wait of the oldest queued order seen in the load window."""
    samples = run.metrics("queue_age_s")
    window = run.plan.load_window_s
    if window is not None:
        samples = samples.filter(pl.col("t_s").is_between(*window))
    values, times = samples["value"].to_list(), samples["t_s"].to_list()
    worst = max(values, default=None)
    edges = [window[0], *times, window[1]] if window is not None else times
    blind_s = max((after - before for before, after in pairwise(edges)), default=0.0)
    if worst is None:
        outcome, detail = Outcome.COULD_NOT_TELL, "No queue age was recorded in the load window."
    elif worst > limit_s:
        outcome, detail = Outcome.NOT_HELD, f"The oldest queued order waited up to {worst:.1f} s."
    elif blind_s > METRIC_GAP_S:
        outcome, detail = Outcome.COULD_NOT_TELL, f"The queue age is unknown for {blind_s:.0f} s on end."
    else:
        outcome = Outcome.COULD_NOT_TELL if Doubt.METRICS in doubted else Outcome.HELD
        detail = f"The oldest queued order waited up to {worst:.1f} s."
    return Check(
        name="queue age",
        outcome=outcome,
        measured=worst,
        threshold=limit_s,
        unit="s",
        detail=detail,
        count=len(values),
    )


def peak_of_ready(run: RunReader, least: int, doubted: Collection[Doubt]) -> Check:
    """Judge the most web pods that were Ready at once, from the start of the load until the record ends.

    What was seen was there, so "held" stands whatever else was missed.
    """
    lives = pod_lives(run, WEB_COMPONENT)
    start_s = run.plan.load_window_s[0] if run.plan.load_window_s else float("-inf")
    peak = peak_ready(ready_steps(lives), start_s) if lives else None
    if peak is not None and peak >= least:
        outcome = Outcome.HELD
    elif peak is None or Doubt.CLUSTER in doubted:
        outcome = Outcome.COULD_NOT_TELL
    else:
        outcome = Outcome.NOT_HELD
    return Check(
        name="peak ready web",
        outcome=outcome,
        measured=peak,
        threshold=least,
        unit="pods",
        detail="No web pod was recorded."
        if peak is None
        else f"At most {peak} web pods were Ready at once; {least} were expected.",
        count=len(lives),
    )
