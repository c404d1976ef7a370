"""Make a run folder, and replace its small files without ever leaving half of one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.models import Plan, Verdict
from tidegate.run.format import (
    METRICS_DIR,
    PLAN_FILE,
    REPORT_FILE,
    REQUESTS_DIR,
    TEMPORARY_SUFFIX,
    VERDICT_FILE,
)


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the file at `path` with `data`; a reader sees the old file or the new, never a part.

    Raises:
        TidegateError: the file cannot be written, for example on a full disk.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY_SUFFIX}")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise TidegateError(f"cannot write: {error.strerror or error}", where=str(path)) from error


def save_plan(folder: Path, plan: Plan) -> None:
    """Write `plan.json`; also used to fill in the load window once the load has run."""
    write_atomic(folder / PLAN_FILE, plan.model_dump_json(indent=2).encode() + b"\n")


def save_verdict(folder: Path, verdict: Verdict) -> None:
    """Write `verdict.json`."""
    write_atomic(folder / VERDICT_FILE, verdict.model_dump_json(indent=2).encode() + b"\n")


def save_report(folder: Path, html: str) -> Path:
    """Write `report.html` and return its path."""
    write_atomic(folder / REPORT_FILE, html.encode())
    return folder / REPORT_FILE


def new_run(root: Path, plan: Plan) -> Path:
    """Make the folder `root/<plan.run_id>` with its plan, and return it.

    Raises:
        TidegateError: the folder exists already or cannot be made.
    """
    folder = root / plan.run_id
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        (folder / REQUESTS_DIR).mkdir()
        (folder / METRICS_DIR).mkdir()
    except FileExistsError as error:
        raise TidegateError(
            "the run's folder is already there", where=str(folder), cure="start it again"
        ) from error
    except OSError as error:
        raise TidegateError(f"cannot make the run's folder: {error.strerror}", where=str(folder)) from error
    save_plan(folder, plan)
    return folder
