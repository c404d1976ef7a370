"""Figures of the proof under churn for a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.bench.churn_figures import ChurnFigures, ChurnRun, Failure, Orders
from tidegate.bench.churning import words
from tidegate.models import Outcome

_SAID = {Outcome.HELD: "held", Outcome.NOT_HELD: "not held", Outcome.COULD_NOT_TELL: "could not tell"}


def run_line(run: ChurnRun) -> str:
    """One Run in one line."""
    through = sum(not one.problem for one in run.operations)
    return (
        f"{run.failed} of {run.requests} requests failed, {run.requests_during} of them during {through} "
        f"operations; {run.pods_ended} web pods and {run.workers.ended} workers ended; {_orders(run.orders)}"
    )


def churn_view(figures: ChurnFigures) -> RenderableType:
    """One row a kind of operation and one a Run, the failures, and what it comes to."""
    kinds = _table("operation", "count", "p50 s", "longest s", "pods ended", "requests", "failed")
    for kind in figures.kinds:
        kinds.add_row(
            words(kind.kind),
            str(kind.count),
            *("-" if value is None else f"{value:.0f}" for value in (kind.p50_s, kind.longest_s)),
            str(kind.pods_ended),
            str(kind.requests),
            str(kind.failed),
        )
    runs = _table("run", "requests", "failed", "operations", "web pods ended", "workers ended", "orders lost")
    for run in figures.runs:
        runs.add_row(
            Path(run.run).name,
            str(run.requests),
            str(run.failed),
            str(len(run.operations)),
            str(run.pods_ended),
            str(run.workers.ended),
            "-" if run.orders is None else str(run.orders.lost),
        )
    failures = [Text(_failure(one)) for one in figures.failures]
    bound = figures.failed_at_most_percent
    said = (
        f"{figures.low} to {figures.high} and back: {_SAID[figures.outcome]}. {figures.failed} of "
        f"{figures.requests} requests failed"
        + ("" if bound is None else f" (95 %: at most {1000 * bound:.1f} in 100,000)")
        + f"; {figures.pods_ended} web pods and {figures.workers_ended} workers ended; "
        + _orders(figures.orders)
    )
    reasons = [Text(f"- {reason}") for reason in figures.reasons]
    return Group(kinds, Text(), runs, Text(), *failures, Text(said), *reasons)


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(first)
    for column in others:
        table.add_column(column, justify="right")
    return table


def _orders(orders: Orders | None) -> str:
    if orders is None:
        return "nobody knows whether orders were lost"
    return (
        f"of {orders.acknowledged} acknowledged orders {orders.lost} lost, {orders.doubled} doubled, "
        f"{orders.undecided} undecided"
    )


def _failure(one: Failure) -> str:
    what = f"status {one.status}" if one.status else one.error or "no response"
    told = "" if one.pod_told_s is None else f", told to go {one.pod_told_s:.1f} s before"
    pod = f" by {one.pod}{told}" if one.pod else ""
    return (
        f"{one.start_s:.3f} {one.route}: {what} after {one.after_s:.2f} s{pod}; {one.operation or 'at rest'}"
    )
