"""Does the service have every order it acknowledged, and none twice?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from tidegate.models import Check, Outcome
from tidegate.run import RunReader


def orders_kept(run: RunReader) -> Iterator[Check]:
    """Judge the ledger of orders, where one was kept (`tidegate.prove.audit`)."""
    lost, doubled = (_last(run, name) for name in ("orders_lost", "orders_doubled"))
    if lost is None or doubled is None:
        return
    undecided = _last(run, "orders_undecided") or 0.0
    yield Check(
        name="orders lost or doubled",
        outcome=Outcome.NOT_HELD if lost or doubled else Outcome.HELD,
        measured=lost + doubled,
        threshold=0.0,
        unit="orders",
        detail=f"{lost:.0f} acknowledged orders were not found afterwards, {doubled:.0f} were there "
        f"more often than they were placed, {undecided:.0f} were still undecided.",
    )


def _last(run: RunReader, name: str) -> float | None:
    values = run.metrics(name)
    return float(cast("float", values["value"][-1])) if values.height else None
