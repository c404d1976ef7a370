"""What speaks against the steady state beyond what clients saw: pods that lie, and hidden errors."""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

from tidegate.verdict.experiments.facts import Fault, Record, Span

LYING = 0.5
LYING_FEWEST = 10
_FIVE = 500


def lying(record: Record, during: pl.DataFrame) -> Iterator[str]:
    """A pod that fails what it is sent while it says that it is Ready."""
    for life in record.web:
        sent = during.filter(pl.col("pod") == life.name)
        while_ready = [
            ok
            for start_s, ok in sent.select("start_s", "ok").iter_rows()
            if any(begin_s <= start_s <= (end_s or float("inf")) for begin_s, end_s in life.ready_spans)
        ]
        failed = while_ready.count(False)
        if len(while_ready) >= LYING_FEWEST and failed > len(while_ready) * LYING:
            sent_to = f"{failed} of {len(while_ready)} requests"
            yield f"{life.name} was Ready and failed {sent_to}: its readiness lies."


def hidden(record: Record, fault: Fault, outside_percent: float, span: Span) -> Iterator[str]:
    """Errors that the service gave and clients never saw were hidden by somebody's retries.

    Args:
        record: the Run.
        fault: the experiment.
        outside_percent: share of failed requests that clients saw.
        span: when.
    """
    rows = record.run.metrics("http_rps").filter(pl.col("t_s").is_between(*span))
    total = bad = 0.0
    for labels, rate in rows.select("labels", "value").iter_rows():
        status = str(json.loads(labels).get("status", ""))
        total += rate
        bad += rate if status.isdigit() and int(status) >= _FIVE else 0.0
    if total <= 0:
        return
    inside_percent = 100 * bad / total
    allowed_percent = 100 - fault.claim.steady.availability_percent
    if inside_percent > allowed_percent and inside_percent > 2 * outside_percent:
        yield (
            f"The service answered {inside_percent:.2f} % with 5xx and clients saw {outside_percent:.2f} %: "
            f"retries hid the rest, and {allowed_percent:g} % were claimed at most."
        )
