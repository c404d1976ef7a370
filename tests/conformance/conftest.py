"""Which of the conformance tests there is something to run on."""

from __future__ import annotations

import os
from pathlib import Path

HISTORIES = Path(
    os.environ.get("TIDEGATE_HPA_HISTORIES") or Path(__file__).parents[3] / "shared" / "hpa-histories"
)
"""More histories than the project carries. Where they are not, their test is not collected: it would have
nothing to compare, and those in `data/` are compared everywhere."""

collect_ignore = [] if (HISTORIES / "histories.jsonl").is_file() else ["test_histories.py"]
