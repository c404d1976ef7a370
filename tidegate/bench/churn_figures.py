"""The figures of Runs under churn, and what all of them come to together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import Field

from tidegate.bench.churning import words
from tidegate.bench.operations import Kind
from tidegate.models import Outcome
from tidegate.models.base import Model
from tidegate.run import nearest_rank
from tidegate.verdict.stats import wilson

MOST_FAILURES = 20
"""Failures that are told one by one; all are counted."""


class Operation(Model):
    """One operation. Times in unix seconds."""

    kind: Kind
    begin_s: float
    end_s: float | None = Field(description="Null when the Run does not tell.")
    problem: str = Field(description="Why it was never through; empty when it was.")
    from_ready: int = Field(description="Ready web pods when it began.")
    to_ready: int = Field(description="Ready web pods when it ended.")
    pods_ended: int = Field(description="Web pods told to go meanwhile.")
    requests: int = Field(description="Under way at some moment of it.")
    failed: int

    @property
    def took_s(self) -> float | None:
        """How long it took, seconds; None when it was never through."""
        return None if self.problem or self.end_s is None else self.end_s - self.begin_s


class Failure(Model):
    """One request that failed."""

    start_s: float = Field(description="Unix seconds.")
    after_s: float = Field(description="Seconds from its start to its end.")
    route: str
    status: int = Field(description="HTTP status; 0 when there was no response.")
    error: str | None
    pod: str | None = Field(description="That answered; null when none did.")
    pod_told_s: float | None = Field(
        description="Seconds from when that pod was told to go until the request began; negative before."
    )
    operation: str = Field(description="What was under way; empty for nothing.")


class Orders(Model):
    """What the audit after the load found."""

    attempts: int
    acknowledged: int
    lost: int
    doubled: int
    undecided: int = Field(description="Still pending after the audit's patience.")


class Workers(Model):
    """What became of the workers within the load."""

    most_ready: int
    fewest_ready: int
    ended: int = Field(description="Worker pods told to go.")


class ChurnRun(Model):
    """One load and what was done meanwhile."""

    run: str = Field(description="The Run's folder.")
    requests: int = Field(description="Meant to start within the load window.")
    failed: int
    requests_during: int = Field(description="Under way while an operation was.")
    pods_ended: int = Field(description="Web pods told to go within the load window.")
    operations: tuple[Operation, ...]
    failures: tuple[Failure, ...] = Field(description=f"The first {MOST_FAILURES}.")
    orders: Orders | None = Field(description="Null when nobody could ask.")
    workers: Workers
    doubts: tuple[str, ...] = Field(description="Why requests may be missing from the record.")


class KindFigures(Model):
    """All operations of a kind that were through."""

    kind: Kind
    count: int
    p50_s: float | None = Field(description="Nearest-rank.")
    longest_s: float | None
    pods_ended: int
    requests: int
    failed: int


class ChurnFigures(Model):
    """All Runs of one proof."""

    outcome: Outcome = Field(
        description="not_held: a request failed, or an order was lost or doubled. could_not_tell: none was, "
        "but something is missing from the proof."
    )
    reasons: tuple[str, ...]
    high: int
    low: int
    requests_wanted: int
    requests: int
    failed: int
    failed_at_most_percent: float | None = Field(
        description="Upper end of the 95 % interval (Wilson) of the share that fails."
    )
    requests_during: int
    pods_ended: int
    orders: Orders | None = Field(description="Added up; null when one of the Runs has none.")
    workers_ended: int
    kinds: tuple[KindFigures, ...]
    failures: tuple[Failure, ...] = Field(description=f"The first {MOST_FAILURES}.")
    runs: tuple[ChurnRun, ...]


def together(runs: Sequence[ChurnRun], *, high: int, low: int, wanted: int) -> ChurnFigures:
    """Return the figures over all `runs`.

    Args:
        runs: any number of them.
        high: web pods after a scale-out.
        low: web pods after a scale-in.
        wanted: fewest requests that prove anything.
    """
    requests, failed = sum(run.requests for run in runs), sum(run.failed for run in runs)
    orders = _added([run.orders for run in runs])
    kinds = tuple(_kind(kind, runs) for kind in Kind)
    broken = list(_broken(failed, requests, orders))
    missing = list(_missing(runs, requests, wanted, kinds))
    outcome = Outcome.NOT_HELD if broken else Outcome.COULD_NOT_TELL if missing else Outcome.HELD
    return ChurnFigures(
        outcome=outcome,
        reasons=(*broken, *missing),
        high=high,
        low=low,
        requests_wanted=wanted,
        requests=requests,
        failed=failed,
        failed_at_most_percent=100 * wilson(failed, requests)[1] if requests else None,
        requests_during=sum(run.requests_during for run in runs),
        pods_ended=sum(run.pods_ended for run in runs),
        orders=orders,
        workers_ended=sum(run.workers.ended for run in runs),
        kinds=kinds,
        failures=tuple(one for run in runs for one in run.failures)[:MOST_FAILURES],
        runs=tuple(runs),
    )


def _broken(failed: int, requests: int, orders: Orders | None) -> Iterator[str]:
    if failed:
        yield f"{failed} of {requests} requests failed"
    if orders is not None and orders.lost:
        yield f"{orders.lost} of {orders.acknowledged} acknowledged orders were lost"
    if orders is not None and orders.doubled:
        yield f"{orders.doubled} orders were there more often than they were placed"


def _missing(
    runs: Sequence[ChurnRun], requests: int, wanted: int, kinds: Sequence[KindFigures]
) -> Iterator[str]:
    if requests < wanted:
        yield f"{requests} requests were made, {wanted} are needed"
    yield from (f"no {words(one.kind)} was through" for one in kinds if not one.count)
    for run in runs:
        name = Path(run.run).name
        yield from (f"{name}: {one.problem}" for one in run.operations if one.problem)
        yield from (f"{name}: {said}" for said in run.doubts)
        if run.orders is None:
            yield f"{name}: nobody knows whether orders were lost"
        elif run.orders.undecided:
            yield f"{name}: {run.orders.undecided} orders were still undecided"


def _kind(kind: Kind, runs: Sequence[ChurnRun]) -> KindFigures:
    found = [one for run in runs for one in run.operations if one.kind is kind and not one.problem]
    took_s = sorted(one.took_s for one in found if one.took_s is not None)
    return KindFigures(
        kind=kind,
        count=len(found),
        p50_s=nearest_rank(took_s, 50) if took_s else None,
        longest_s=took_s[-1] if took_s else None,
        pods_ended=sum(one.pods_ended for one in found),
        requests=sum(one.requests for one in found),
        failed=sum(one.failed for one in found),
    )


def _added(found: Sequence[Orders | None]) -> Orders | None:
    known = [orders for orders in found if orders is not None]
    if len(known) < len(found) or not known:
        return None
    return Orders(
        attempts=sum(one.attempts for one in known),
        acknowledged=sum(one.acknowledged for one in known),
        lost=sum(one.lost for one in known),
        doubled=sum(one.doubled for one in known),
        undecided=sum(one.undecided for one in known),
    )
