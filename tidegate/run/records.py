"""The records of the JSON Lines files, typed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

from tidegate.errors import TidegateError

RecordType = Literal["ADDED", "MODIFIED", "DELETED", "SNAPSHOT"]
Phase = Literal["asked", "landed", "lifted"]
Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """One watch event, or one object of a list (`SNAPSHOT`).

    Of `object` the derived views read, with the Kubernetes API's own names:

    - all: `metadata.name`, `metadata.uid`, `metadata.creationTimestamp`
    - Pod: `metadata.labels`, `metadata.deletionTimestamp`, `metadata.deletionGracePeriodSeconds`,
      `spec.nodeName`, `status.phase`, `status.conditions`, `status.containerStatuses[].state`
    - HorizontalPodAutoscaler: `spec.{min,max}Replicas`, `status.currentReplicas`, `status.desiredReplicas`,
      `status.conditions`, `status.currentMetrics`
    - Deployment: `metadata.labels`, `spec.replicas`, `spec.containers[].resources`
    - Node: `metadata.labels`, `status.conditions`
    - VerticalPodAutoscaler: `spec.targetRef`, `spec.updatePolicy`, `status.recommendation`
    - Event: `involvedObject` or `regarding`, `reason`, `message` or `note`
    """

    received_s: float
    """When the recorder received it, unix seconds."""
    type: RecordType
    kind: str
    object: dict[str, Any]


@dataclass(frozen=True, slots=True)
class FaultRecord:
    """One step of a fault: asked for, seen to have landed, lifted."""

    t_s: float
    name: str
    phase: Phase
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """What a recorder says about itself."""

    t_s: float
    level: Level
    what: str
    gap_s: float | None = None
    """Seconds during which the recorder saw nothing, ending at `t_s`; null when the note is no gap."""


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as they stand in the metrics files: a JSON object with sorted keys."""
    return json.dumps(dict(labels), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def _text(value: object, *allowed: str) -> str:
    if not isinstance(value, str) or (allowed and value not in allowed):
        raise TypeError(f"{value!r} is not {' or '.join(allowed) or 'text'}")
    return value


def _mapping(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return cast("dict[str, Any]", value)


def cluster_record(raw: dict[str, Any]) -> ClusterRecord:
    """Return the record in `raw`; KeyError or TypeError when it is not one."""
    return ClusterRecord(
        received_s=_number(raw["received_s"]),
        type=cast("RecordType", _text(raw["type"], *get_args(RecordType))),
        kind=_text(raw["kind"]),
        object=_mapping(raw["object"]),
    )


def fault_record(raw: dict[str, Any]) -> FaultRecord:
    """Return the record in `raw`; KeyError or TypeError when it is not one."""
    return FaultRecord(
        t_s=_number(raw["t_s"]),
        name=_text(raw["name"]),
        phase=cast("Phase", _text(raw["phase"], *get_args(Phase))),
        evidence=_mapping(raw.get("evidence", {})),
    )


def note(raw: dict[str, Any]) -> Note:
    """Return the note in `raw`; KeyError or TypeError when it is not one."""
    gap = raw.get("gap_s")
    return Note(
        t_s=_number(raw["t_s"]),
        level=cast("Level", _text(raw["level"], *get_args(Level))),
        what=_text(raw["what"]),
        gap_s=None if gap is None else _number(gap),
    )


def damaged(path: Path, line: int, error: Exception) -> TidegateError:
    """Return the error for a line that is JSON and yet no record."""
    what = f"no {error.args[0]!r}" if isinstance(error, KeyError) else str(error)
    return TidegateError(f"damaged: {what}", where=f"{path}:{line}", cure="record it anew")
