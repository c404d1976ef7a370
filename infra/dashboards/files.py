"""The dashboards as the files that the chart ships."""

from __future__ import annotations

import json
from pathlib import Path

from infra.dashboards.grafana import Dashboard
from infra.dashboards.queue import QUEUE
from infra.dashboards.scaling import SCALING
from infra.dashboards.service import SERVICE

DASHBOARDS: tuple[Dashboard, ...] = (SERVICE, QUEUE, SCALING)
FOLDER = Path("charts") / "tidegate-service" / "dashboards"
"""Where they lie in the project."""


def texts() -> dict[str, str]:
    """Return the content of each file by its name."""
    return {f"tidegate-{each.name}.json": json.dumps(each.document(), indent=2) + "\n" for each in DASHBOARDS}


def write(project: Path) -> list[Path]:
    """Write the files and remove those of dashboards that are no more; what was written."""
    folder = project / FOLDER
    folder.mkdir(exist_ok=True)
    wanted = {folder / name: text for name, text in texts().items()}
    for old in set(folder.glob("*.json")) - set(wanted):
        old.unlink()
    for file, text in wanted.items():
        file.write_text(text)
    return list(wanted)
