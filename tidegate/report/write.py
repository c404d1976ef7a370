"""Write `report.html`."""

from __future__ import annotations

from pathlib import Path

from tidegate.report.data import collect
from tidegate.report.page import render
from tidegate.run import RunReader, save_report


def write_report(run_dir: Path) -> Path:
    """Write `report.html` into the run's folder, replacing an earlier one, and return its path.

    A run that was broken off, holds nothing yet, or has not been judged gives a report that says so.

    Raises:
        TidegateError: the folder is no run, a file of it is damaged, or the report cannot be written.
    """
    run = RunReader(run_dir)
    return save_report(run_dir, render(collect(run), run.plan))
