"""What the driver tells the Locust process it starts, through the environment."""

from __future__ import annotations

import os
from pathlib import Path

RUN_VARIABLE = "TIDEGATE_RUN"
"""Names the Run folder to record into; without it nothing is recorded."""
PARENT_VARIABLE = "TIDEGATE_PARENT"
"""Process id of the driver; once that is not the parent any more, the load ends."""

PASSWORD_VARIABLE = "TIDEGATE_DEMO_PASSWORD"  # noqa: S105 - the variable's name
"""Holds the password of the service's seeded accounts. The environment and not a flag: processes' command
lines are for everyone to read, and parameters end up in the Run."""


def run_folder() -> Path | None:
    """Return the Run folder named by the environment, None when there is none."""
    named = os.environ.get(RUN_VARIABLE)
    return Path(named) if named else None
