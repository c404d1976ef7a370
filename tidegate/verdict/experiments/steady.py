"""Proof two: the steady state held while the fault was there, and came back in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import polars as pl

from tidegate.models.trial import Finding, Proof
from tidegate.models.trial import Span as Table
from tidegate.run import nearest_rank, with_latency
from tidegate.verdict.experiments.facts import Fault, Record, Span, ready_at, ready_range
from tidegate.verdict.experiments.leaving import leaving, what_failed
from tidegate.verdict.experiments.outside import hidden, lying
from tidegate.verdict.experiments.recovery import BUCKET_S, CALM_BUCKETS, recovery_s

FEWEST = 50
"""Requests that a span needs to be judged at all."""


@dataclass(frozen=True)
class Steadiness:
    """The proof, and what was measured for it."""

    proof: Proof
    recovery_s: float | None
    spans: tuple[Table, Table, Table]


def steady(record: Record, fault: Fault, doubts: list[str]) -> Steadiness:
    """Judge the steady state.

    Args:
        record: the Run.
        fault: the experiment.
        doubts: sentences about the record as a whole that keep anything from being held.
    """
    end_s = record.end_s()
    requests = with_latency(_judged(record, fault), record.run.plan.slo)
    spans = (fault.before(), fault.during(end_s), fault.after(end_s))
    before, during, after = (_within(requests, span) for span in spans)
    recovery = recovery_s(requests, before, fault.over_s(end_s), end_s)
    against = [
        *_violations(record, fault, during, recovery, end_s),
        *_outside(record, fault, during, spans[1]),
    ]
    unsure = [*doubts, *_unsure(record, fault, before, during), *_orders_unknown(record, fault)]
    names = ("before", "during", "after")
    frames = (before, during, after)
    tables = tuple(
        _table(record, name, span, frame) for name, span, frame in zip(names, spans, frames, strict=True)
    )
    # A doubt about the generator or the clocks puts also what speaks against the service in doubt.
    if against and not doubts:
        proof = Proof(name="steady", finding=Finding.NOT_HELD, reasons=(*against, *unsure))
    elif unsure or against:
        proof = Proof(name="steady", finding=Finding.INCONCLUSIVE, reasons=(*unsure, *against))
    else:
        proof = Proof(name="steady", finding=Finding.HELD, reasons=(_held(fault, during, recovery),))
    return Steadiness(proof, recovery, cast("tuple[Table, Table, Table]", tables))


def _judged(record: Record, fault: Fault) -> pl.DataFrame:
    requests = record.run.requests()
    routes = fault.claim.steady.routes
    return requests.filter(pl.col("route").is_in(routes)) if routes else requests


def _within(requests: pl.DataFrame, span: Span) -> pl.DataFrame:
    return requests.filter((pl.col("intended_start_s") >= span[0]) & (pl.col("intended_start_s") < span[1]))


def _share(requests: pl.DataFrame) -> float:
    """Percent answered well; all of nothing."""
    return 100 * float(requests["ok"].sum()) / requests.height if requests.height else 100.0


def _p99(requests: pl.DataFrame) -> float | None:
    values = requests["latency_ms"].sort().to_list()
    return nearest_rank(values, 99) if values else None


def _violations(
    record: Record, fault: Fault, during: pl.DataFrame, back_s: float | None, end_s: float
) -> Iterator[str]:
    claim = fault.claim.steady
    if during.height >= FEWEST and _share(during) < claim.availability_percent:
        failed = during.height - int(during["ok"].sum())
        yield (
            f"{_share(during):.3f} % of {during.height} requests were answered well during the fault, "
            f"{claim.availability_percent:g} % were claimed; {failed} failed{what_failed(record, during)}."
        )
    p99 = _p99(during)
    if claim.p99_ms is not None and p99 is not None and during.height >= FEWEST and p99 > claim.p99_ms:
        yield f"p99 was {p99:.0f} ms while the fault was there, at most {claim.p99_ms:g} ms were claimed."
    seen_s = end_s - fault.over_s(end_s)
    if back_s is None and seen_s >= claim.recovery_s + CALM_BUCKETS * BUCKET_S:
        yield f"It was not as before within the {seen_s:.0f} s that were recorded after the fault."
    elif back_s is not None and back_s > claim.recovery_s:
        allowed = f"at most {claim.recovery_s:g} s were claimed"
        yield f"It was as before only {back_s:.0f} s after the fault, {allowed}."
    lost = _order_figure(record, "orders_lost", fault), _order_figure(record, "orders_doubled", fault)
    if claim.no_order_lost and any(lost):
        yield f"{lost[0] or 0:.0f} acknowledged orders were lost, {lost[1] or 0:.0f} done twice."


def _outside(record: Record, fault: Fault, during: pl.DataFrame, span: Span) -> Iterator[str]:
    """What speaks against the steady state beyond what clients saw."""
    yield from lying(record, during)
    if during.height:
        yield from hidden(record, fault, 100 - _share(during), span)
    yield from leaving(record, fault, span)


def _unsure(record: Record, fault: Fault, before: pl.DataFrame, during: pl.DataFrame) -> Iterator[str]:
    claim = fault.claim
    for name, frame in (("before", before), ("during", during)):
        if frame.height < FEWEST:
            yield f"Only {frame.height} requests were recorded {name} the fault; {FEWEST} are needed."
    if before.height >= FEWEST and _share(before) < claim.steady.availability_percent:
        yield f"It was not steady before the fault either: {_share(before):.3f} % were answered well."
    had = ready_at(record.ready, fault.asked_s - 1)
    if had is None:
        yield "No Ready web pod was recorded before the fault."
    elif had < claim.at_least_ready:
        least = f"the claim is about at least {claim.at_least_ready}"
        yield f"{had} web pods were Ready before the fault; {least}."
    if claim.steady.all_leave and not fault.chosen:
        yield "No pod was chosen that could have left: nothing was asked of the service."


def _order_figure(record: Record, name: str, fault: Fault) -> float | None:
    values = record.run.metrics(name).filter(pl.col("t_s") >= fault.asked_s)
    return float(cast("float", values["value"][-1])) if values.height else None


def _orders_unknown(record: Record, fault: Fault) -> Iterator[str]:
    if not fault.claim.steady.no_order_lost:
        return
    missing = [
        name for name in ("orders_lost", "orders_doubled") if _order_figure(record, name, fault) is None
    ]
    if missing:
        yield f"No ledger of orders was recorded ({', '.join(missing)}): nobody knows whether any was lost."


def _table(record: Record, name: str, span: Span, frame: pl.DataFrame) -> Table:
    values = frame["latency_ms"].sort().to_list()
    figures = {f"p{p}_ms": nearest_rank(values, p) if values else None for p in (50, 95, 99)}
    before = [point.desired for point in record.hpa if point.t_s <= span[0]][-1:]
    desired = [*before, *(point.desired for point in record.hpa if span[0] < point.t_s <= span[1])]
    return Table.model_validate(
        {
            "name": name,
            "from_s": span[0],
            "to_s": span[1],
            "requests": frame.height,
            "failed": frame.height - int(frame["ok"].sum()),
            **figures,
            "ready": ready_range(record.ready, span),
            "desired": (min(desired), max(desired)) if desired else None,
        }
    )


def _held(fault: Fault, during: pl.DataFrame, back_s: float | None) -> str:
    p99 = _p99(during)
    back = f"as before {back_s:.0f} s after it" if back_s is not None else "its recovery not needed"
    claim = fault.claim.steady
    return (
        f"{_share(during):.3f} % of {during.height} requests were answered well, p99 {p99 or 0:.0f} ms; "
        f"{back} (claimed: {claim.availability_percent:g} %, {claim.recovery_s:g} s)."
    )
