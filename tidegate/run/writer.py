"""Write into a run folder. Each process that records opens its own `RunWriter` on the same folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tidegate.run.format import (
    CLUSTER_FILE,
    FAULTS_FILE,
    METRIC_SCHEMA,
    METRICS_DIR,
    NOTES_FILE,
    REQUEST_SCHEMA,
    REQUESTS_DIR,
    MetricRow,
    RequestRow,
)
from tidegate.run.jsonl import JsonlWriter
from tidegate.run.records import Level, Phase, RecordType
from tidegate.run.segment import SegmentWriter


def request_writer(folder: Path, writer_id: str, **settings: Any) -> SegmentWriter[RequestRow]:
    """Open a writer of `RequestRow`s; `settings` are those of `SegmentWriter`."""
    return SegmentWriter(folder / REQUESTS_DIR, REQUEST_SCHEMA, writer_id, **settings)


def metric_writer(folder: Path, writer_id: str, **settings: Any) -> SegmentWriter[MetricRow]:
    """Open a writer of `MetricRow`s; `settings` are those of `SegmentWriter`."""
    return SegmentWriter(folder / METRICS_DIR, METRIC_SCHEMA, writer_id, **settings)


class RunWriter:
    """The JSON Lines files of one run, opened when first used, and closed together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: dict[str, JsonlWriter] = {}

    def _file(self, name: str) -> JsonlWriter:
        if name not in self._open:
            self._open[name] = JsonlWriter(self.folder / name)
        return self._open[name]

    def cluster(
        self, event: RecordType, kind: str, obj: Mapping[str, Any], *, received_s: float | None = None
    ) -> None:
        """Record a watch event.

        Args:
            event: what happened to the object; `SNAPSHOT` when it came from a list.
            kind: kind of the object, for example `Pod`.
            obj: the object, trimmed to what `ClusterRecord` names or more.
            received_s: when it arrived, unix seconds; now by default.
        """
        at_s = time.time() if received_s is None else received_s
        self._file(CLUSTER_FILE).write({"received_s": at_s, "type": event, "kind": kind, "object": obj})

    def fault(
        self, name: str, phase: Phase, evidence: Mapping[str, Any] | None = None, *, t_s: float | None = None
    ) -> None:
        """Record a step of a fault at `t_s`, unix seconds; now by default."""
        self._file(FAULTS_FILE).write(
            {
                "t_s": time.time() if t_s is None else t_s,
                "name": name,
                "phase": phase,
                "evidence": dict(evidence or {}),
            }
        )

    def note(self, level: Level, what: str, *, t_s: float | None = None, gap_s: float | None = None) -> None:
        """Record what the recorder has to say about itself.

        Args:
            level: `error` means that something was not recorded, and makes a verdict doubtful.
            what: a plain sentence.
            t_s: when, unix seconds; now by default.
            gap_s: seconds without sight, ending at `t_s`.
        """
        record: dict[str, Any] = {"t_s": time.time() if t_s is None else t_s, "level": level, "what": what}
        if gap_s is not None:
            record["gap_s"] = gap_s
        self._file(NOTES_FILE).write(record)

    def close(self) -> None:
        """Sync and close every file that was opened."""
        while self._open:
            _, writer = self._open.popitem()
            writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
