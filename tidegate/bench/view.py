"""Figures of a benchmark for a terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.bench.figures import PARTS, ScaleFigures


def scale_view(figures: ScaleFigures) -> RenderableType:
    """One row a run, seconds; the percentiles below."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("run")
    for column in ("pods", "nodes", "decisions", *PARTS, "total", "failed"):
        table.add_column(column, justify="right")
    for run in figures.runs:
        parts = [f"{run.parts_s[part]:.2f}" if part in run.parts_s else "-" for part in PARTS]
        total = "never" if run.seconds is None else f"{run.seconds:.2f}"
        table.add_row(
            Path(run.run).name,
            f"{run.began_with} → {run.most_ready}",
            str(len(run.nodes)),
            str(len(run.decisions)),
            *parts,
            total,
            f"{run.failed} of {run.requests}",
        )
    p50, p95 = ("never" if value is None else f"{value:.1f} s" for value in (figures.p50_s, figures.p95_s))
    said = (
        f"{figures.from_replicas} to {figures.to_replicas} Ready: p50 {p50}, p95 {p95}, "
        f"{figures.reached} of {len(figures.runs)} runs got there; "
        f"{figures.failed} of {figures.requests} requests failed"
    )
    return Group(table, Text(said))
