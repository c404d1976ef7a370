"""`python -m infra.dashboards`: write the JSON of the dashboards into the chart."""

from __future__ import annotations

from infra.dashboards.files import write
from tidegate.host.paths import project_root

if __name__ == "__main__":
    for file in write(project_root()):
        print(file)
