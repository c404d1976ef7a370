"""What a Run under churn says.

All is derived from the Run's own files: a request counts as failed when the load generator called it so, an
order as lost when the audit after the load did not find it, a pod as ended when the watch saw it told to go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tidegate.bench.churn_figures import MOST_FAILURES, ChurnRun, Failure, Operation, Orders, Workers
from tidegate.bench.churning import OPERATIONS_FILE, words
from tidegate.bench.operations import Kind
from tidegate.errors import TidegateError
from tidegate.run import PodLife, RunReader, pod_lives, read_jsonl, ready_steps
from tidegate.run.format import ORDERS_FILE, WEB_COMPONENT, WORKER_COMPONENT
from tidegate.verdict.soundness import Doubt, doubts


def churn_run(folder: Path) -> ChurnRun:
    """Return the figures of the Run at `folder`.

    Raises:
        TidegateError: a file of the Run is damaged, or its load never ran to its end.
    """
    run = RunReader(folder)
    window = run.plan.load_window_s
    if window is None:
        raise TidegateError("the load never ran to its end", where=str(folder))
    requests, lives = run.window_requests(), pod_lives(run, WEB_COMPONENT)
    operations = tuple(_operations(folder, requests, lives, run))
    during = pl.any_horizontal([pl.lit(value=False), *(_under_way(*_span(one)) for one in operations)])
    bad = requests.filter(~pl.col("ok")).sort("start_s")
    return ChurnRun(
        run=str(folder),
        requests=requests.height,
        failed=bad.height,
        requests_during=requests.filter(during).height,
        pods_ended=_ended(lives, *window),
        operations=operations,
        failures=tuple(
            _failure(row, operations, lives) for row in bad.head(MOST_FAILURES).iter_rows(named=True)
        ),
        orders=_orders(run),
        workers=_workers(run, *window),
        doubts=tuple(dict.fromkeys(said for about, said in doubts(run) if about is Doubt.REQUESTS)),
    )


def _operations(
    folder: Path, requests: pl.DataFrame, lives: Sequence[PodLife], run: RunReader
) -> Iterator[Operation]:
    steps = ready_steps(lives)

    def ready(at_s: float) -> int:
        return next((point.ready for point in reversed(steps) if point.t_s <= at_s), 0)

    for kind, begin_s, end_s, problem in _book(folder):
        last_s = _last_s(run) if end_s is None else end_s
        missing = f"{words(kind)}: nothing tells how it ended" if end_s is None else ""
        touched = requests.filter(_under_way(begin_s, last_s))
        yield Operation(
            kind=kind,
            begin_s=begin_s,
            end_s=end_s,
            problem=problem or missing,
            from_ready=ready(begin_s),
            to_ready=ready(last_s),
            pods_ended=_ended(lives, begin_s, last_s),
            requests=touched.height,
            failed=touched.filter(~pl.col("ok")).height,
        )


def _book(folder: Path) -> Iterator[tuple[Kind, float, float | None, str]]:
    """Yield kind, begin, end and problem of each operation that was written down."""
    begun: tuple[Kind, float] | None = None
    for number, line in read_jsonl(folder / OPERATIONS_FILE):
        try:
            kind, at_s, phase = Kind(line["operation"]), float(line["t_s"]), str(line["phase"])
        except (KeyError, TypeError, ValueError):
            where = f"{folder / OPERATIONS_FILE}:{number}"
            raise TidegateError("damaged: no line of an operation", where=where) from None
        if phase == "begin":
            if begun is not None:
                yield *begun, None, ""
            begun = kind, at_s
        elif begun is not None:
            yield *begun, at_s, str(line.get("problem", ""))
            begun = None
    if begun is not None:
        yield *begun, None, ""


def _last_s(run: RunReader) -> float:
    window = run.plan.load_window_s
    return window[1] if window is not None else run.plan.created_s


def _under_way(begin_s: float, end_s: float) -> pl.Expr:
    return (pl.col("start_s") <= end_s) & (pl.col("end_s") >= begin_s)


def _span(one: Operation) -> tuple[float, float]:
    return one.begin_s, float("inf") if one.end_s is None else one.end_s


def _ended(lives: Sequence[PodLife], begin_s: float, end_s: float) -> int:
    return sum(life.deleting_s is not None and begin_s <= life.deleting_s <= end_s for life in lives)


def _failure(row: dict[str, Any], operations: Sequence[Operation], lives: Sequence[PodLife]) -> Failure:
    start_s, end_s = float(row["start_s"]), float(row["end_s"])
    told = next((life.deleting_s for life in lives if life.name == row["pod"]), None)
    met = [one.kind for one in operations if start_s <= _span(one)[1] and end_s >= one.begin_s]
    return Failure(
        start_s=start_s,
        after_s=end_s - start_s,
        route=row["route"],
        status=row["status"],
        error=row["error"],
        pod=row["pod"],
        pod_told_s=None if told is None else start_s - told,
        operation=", ".join(dict.fromkeys(words(kind) for kind in met)),
    )


def _orders(run: RunReader) -> Orders | None:
    counts = {name: run.metrics(f"orders_{name}")["value"] for name in ("lost", "doubled", "undecided")}
    attempts = [line.get("order") for _, line in read_jsonl(run.path / ORDERS_FILE)]
    if not all(len(values) for values in counts.values()):
        return None
    return Orders(
        attempts=len(attempts),
        acknowledged=sum(order is not None for order in attempts),
        **{name: int(values[-1]) for name, values in counts.items()},
    )


def _workers(run: RunReader, begin_s: float, end_s: float) -> Workers:
    lives = pod_lives(run, WORKER_COMPONENT)
    steps = ready_steps(lives)
    before = [point.ready for point in steps if point.t_s <= begin_s][-1:] or [0]
    counts = before + [point.ready for point in steps if begin_s < point.t_s <= end_s]
    return Workers(most_ready=max(counts), fewest_ready=min(counts), ended=_ended(lives, begin_s, end_s))
