"""More histories with decisions of the real controller than the project carries."""

from __future__ import annotations

import os
from pathlib import Path

HISTORIES = Path(
    os.environ.get("TIDEGATE_HPA_HISTORIES") or Path(__file__).parents[3] / "shared" / "hpa-histories"
)
"""Folder with `histories.jsonl` and `decisions.jsonl`; it need not be there."""
