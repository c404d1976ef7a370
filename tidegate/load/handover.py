"""What the driver tells the Locust process it starts, through the environment."""

from __future__ import annotations

import os
from pathlib import Path

RUN_VARIABLE = "TIDEGATE_RUN"
"""Names the Run folder to record into; without it nothing is recorded."""
PARENT_VARIABLE = "TIDEGATE_PARENT"
"""Process id of the driver; once that is not the parent any more, the load ends."""


def run_folder() -> Path | None:
    """Return the Run folder named by the environment, None when there is none."""
    named = os.environ.get(RUN_VARIABLE)
    return Path(named) if named else None
