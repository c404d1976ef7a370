"""Which of the conformance tests there is something to run on."""

from __future__ import annotations

from support.histories import HISTORIES

# Without them their test would have nothing to compare; the histories in `data/` are compared everywhere.
collect_ignore = [] if (HISTORIES / "histories.jsonl").is_file() else ["test_histories.py"]
