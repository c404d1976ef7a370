from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infra.dashboards.files import DASHBOARDS, FOLDER, texts, write
from infra.dashboards.grafana import Dashboard

ROOT = Path(__file__).resolve().parents[4]


def test_the_chart_ships_what_the_code_makes() -> None:
    committed = {file.name: file.read_text() for file in (ROOT / FOLDER).glob("*")}
    assert committed == texts(), "run `python -m infra.dashboards`"


def test_writing_replaces_and_removes(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir(parents=True)
    (folder / "gone.json").write_text("{}")
    written = write(tmp_path)
    assert set(folder.glob("*")) == set(written)
    assert {file.name: file.read_text() for file in written} == texts()


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_panels_neither_overlap_nor_leave_the_page(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    panels: list[dict[str, Any]] = dashboard.document()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)
def test_every_variable_is_offered_and_used(dashboard: Dashboard) -> None:
    document = dashboard.document()
    panels = json.dumps(document["panels"])
    for variable in document["templating"]["list"]:
        assert f"${variable['name']}" in panels or f"${{{variable['name']}}}" in panels
    assert json.loads(json.dumps(document)) == document
