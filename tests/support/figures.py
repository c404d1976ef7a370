"""What acceptance tests measured, as one JSON document: the promises are quoted from it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


class Figures:
    """Collects figures by test; a test records before it judges, so that a failure has its figures too."""

    def __init__(self, dose: str) -> None:
        self._dose = dose
        self._tests: dict[str, dict[str, Any]] = {}

    def record(self, test: str, figures: dict[str, Any]) -> None:
        """Add figures of a test; later ones of the same name win."""
        self._tests.setdefault(test, {}).update(figures)

    def conclude(self, test: str, *, passed: bool) -> None:
        """Note how a test that recorded something ended."""
        if test in self._tests:
            self._tests[test]["passed"] = passed

    def render(self) -> str | None:
        """The document; None when nothing was recorded."""
        if not self._tests:
            return None
        document = {"dose": self._dose, "machine": _machine(), "tests": self._tests}
        return json.dumps(document, indent=2) + "\n"

    def write(self, path: Path) -> None:
        """Write the document, if there is one."""
        text = self.render()
        if text is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def _machine() -> dict[str, Any]:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit.stdout.strip() or None,
        "cores": len(os.sched_getaffinity(0)),
        "load_average": [round(value, 1) for value in os.getloadavg()],
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
