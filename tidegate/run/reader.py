"""Read a run folder, finished or broken off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import polars as pl
from polars.exceptions import PolarsError
from pydantic import ValidationError

from tidegate.errors import TidegateError
from tidegate.models import SCHEMA_VERSION, Plan, Verdict
from tidegate.models.problems import explain
from tidegate.run.format import (
    CLUSTER_FILE,
    FAULTS_FILE,
    METRIC_SCHEMA,
    METRICS_DIR,
    NOTES_FILE,
    PLAN_FILE,
    REQUEST_SCHEMA,
    REQUESTS_DIR,
    SEGMENT_SUFFIX,
    TEMPORARY_SUFFIX,
    VERDICT_FILE,
)
from tidegate.run.jsonl import is_torn, read_jsonl
from tidegate.run.records import ClusterRecord, FaultRecord, Note, cluster_record, damaged, fault_record, note


class RunReader:
    """Typed access to one run.

    A torn last line and a segment that was never finished are what a crash leaves; they are skipped, and
    `damage` names them. Anything else that does not fit is an error: a figure must not rest on it.

    Args:
        path: the run's folder.

    Raises:
        TidegateError: it is no run, its format is of another version, or (from any method) a file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.plan: Plan = _read_plan(path / PLAN_FILE)

    @cached_property
    def _requests(self) -> pl.DataFrame:
        return _segments(self.path / REQUESTS_DIR, REQUEST_SCHEMA).sort(
            "intended_start_s", "start_s", "end_s", maintain_order=True
        )

    @cached_property
    def _metrics(self) -> pl.DataFrame:
        return _segments(self.path / METRICS_DIR, METRIC_SCHEMA).sort(
            "t_s", "received_s", maintain_order=True
        )

    def requests(self) -> pl.DataFrame:
        """Return every request (`REQUEST_SCHEMA`), sorted by `intended_start_s`."""
        return self._requests

    def window_requests(self) -> pl.DataFrame:
        """Return the requests meant to start within the load window, both ends included.

        While the plan has no load window, these are all requests.
        """
        if self.plan.load_window_s is None:
            return self._requests
        return self._requests.filter(pl.col("intended_start_s").is_between(*self.plan.load_window_s))

    def metrics(self, name: str | None = None) -> pl.DataFrame:
        """Return every sample (`METRIC_SCHEMA`) of series `name`, or of all, sorted by `t_s`."""
        return self._metrics if name is None else self._metrics.filter(pl.col("name") == name)

    def cluster(self) -> Iterator[ClusterRecord]:
        """Yield the watch events in the order in which they were written."""
        path = self.path / CLUSTER_FILE
        for line, raw in read_jsonl(path):
            try:
                yield cluster_record(raw)
            except (KeyError, TypeError) as error:
                raise damaged(path, line, error) from error

    def faults(self) -> list[FaultRecord]:
        """Return the steps of all faults in the order of time."""
        path, found = self.path / FAULTS_FILE, list[FaultRecord]()
        for line, raw in read_jsonl(path):
            try:
                found.append(fault_record(raw))
            except (KeyError, TypeError) as error:
                raise damaged(path, line, error) from error
        return sorted(found, key=lambda fault: fault.t_s)

    def notes(self) -> list[Note]:
        """Return the recorders' notes in the order of time."""
        path, found = self.path / NOTES_FILE, list[Note]()
        for line, raw in read_jsonl(path):
            try:
                found.append(note(raw))
            except (KeyError, TypeError) as error:
                raise damaged(path, line, error) from error
        return sorted(found, key=lambda said: said.t_s)

    @property
    def verdict(self) -> Verdict | None:
        """The verdict that was given, or None while there is none."""
        path = self.path / VERDICT_FILE
        if not path.exists():
            return None
        try:
            return Verdict.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise explain(error, Verdict, file=str(path), prefix="verdict") from error

    def damage(self) -> dict[str, str]:
        """Return what a crash cut off: file or folder name within the run, and a plain sentence."""
        found: dict[str, str] = {}
        for name in (CLUSTER_FILE, FAULTS_FILE, NOTES_FILE):
            if is_torn(self.path / name):
                found[name] = f"the last line of {name} is torn"
        for name in (REQUESTS_DIR, METRICS_DIR):
            left = sorted((self.path / name).glob(f".*{TEMPORARY_SUFFIX}"))
            if left:
                found[name] = f"{len(left)} segment(s) of {name} were never finished"
        return found


def _read_plan(path: Path) -> Plan:
    try:
        text = path.read_text(encoding="utf-8")
        raw: object = json.loads(text)
    except FileNotFoundError as error:
        raise TidegateError(
            "not a run: it has no plan", where=str(path), cure="name a folder under runs/"
        ) from error
    except OSError as error:
        raise TidegateError(f"cannot read: {error.strerror}", where=str(path)) from error
    except ValueError as error:
        raise TidegateError(f"damaged: {error}", where=str(path), cure="record it anew") from error
    version = cast("dict[str, Any]", raw).get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise TidegateError(
            f"run format version {version!r} is not known; this program reads {SCHEMA_VERSION}",
            where=str(path),
        )
    try:
        return Plan.model_validate_json(text)
    except ValidationError as error:
        raise explain(error, Plan, file=str(path), prefix="plan") from error


def _segments(folder: Path, schema: pl.Schema) -> pl.DataFrame:
    frames: list[pl.DataFrame] = []
    for path in sorted(folder.glob(f"*{SEGMENT_SUFFIX}")):
        try:
            frame = pl.read_parquet(path, memory_map=False, glob=False)
        except (OSError, PolarsError) as error:
            raise TidegateError(f"damaged: {error}", where=str(path), cure="record it anew") from error
        if frame.schema != schema:
            raise TidegateError("its columns are not those of a run", where=str(path), cure="record it anew")
        frames.append(frame)
    return pl.concat(frames) if frames else pl.DataFrame(schema=schema)
