"""Histories with the decisions of the real controller's code: every sync must come out the same."""

from __future__ import annotations

import io
import json
from typing import Any

from support.histories import HISTORIES

from tidegate.simulate.decisions import LONGEST_LINE, decide_lines


def test_every_sync_is_decided_as_the_controller_did() -> None:
    lines = (HISTORIES / "histories.jsonl").read_bytes()
    told = [json.loads(line) for line in (HISTORIES / "decisions.jsonl").read_text().splitlines()]
    found = [shown for _, shown in decide_lines(io.BytesIO(lines), longest=LONGEST_LINE, explained=False)]
    assert len(found) == len(told)
    for line, (ours, theirs) in enumerate(zip(found, told, strict=True), start=1):
        assert _comparable(ours) == _comparable(theirs), f"line {line}"


def _comparable(line: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {**decision, "t_s": float(decision["t_s"]), "error": bool(decision["error"])}
        for decision in line["decisions"]
    ]
