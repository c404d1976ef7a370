"""Random histories, decided once by the code of the real controller (see the README here)."""

from __future__ import annotations

import io
import json
import lzma
from typing import Any

from support import hpa_cases

from tidegate.simulate.decisions import LONGEST_LINE, decide_lines


def _lines(name: str) -> bytes:
    return lzma.decompress((hpa_cases.DATA / name).read_bytes())


def test_every_sync_is_decided_as_the_controller_did() -> None:
    told: list[list[dict[str, Any]]] = [
        json.loads(line) for line in _lines("real_decisions.jsonl.xz").splitlines()
    ]
    histories = io.BytesIO(_lines("real_histories.jsonl.xz"))
    found = [shown for _, shown in decide_lines(histories, longest=LONGEST_LINE, explained=False)]
    assert sum(len(line) for line in told) > 700, "a corpus that shrank proves less"
    for number, (ours, theirs) in enumerate(zip(found, told, strict=True), start=1):
        decisions = [{**one, "error": bool(one["error"])} for one in ours["decisions"]]
        assert decisions == theirs, f"history {number}"
