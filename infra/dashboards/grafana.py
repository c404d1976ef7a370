"""The little of Grafana's dashboard model that is used here, and its JSON.

Plain dataclasses: Grafana's own Python library calls itself experimental, numbers its releases by the second
they were made in, and has one for each version of Grafana.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

SCHEMA_VERSION = 39
"""Of Grafana 10.4; later ones read it and bring it up to date."""

_COLUMNS = 24
_ROW_HEIGHT = 1

Unit = Literal["short", "reqps", "ops", "s", "percentunit", "bytes", "none"]


@dataclass(frozen=True)
class Query:
    """One PromQL expression; `legend` names its series by their labels, as `{{pod}}`."""

    expr: str
    legend: str


@dataclass(frozen=True)
class Panel:
    """One picture.

    Args:
        title: what is shown.
        says: how to read it, and what to do about it.
        queries: what is asked.
        unit: of the values.
        kind: `timeseries` over time, `stat` for the latest figure.
        top: upper end of the axis, where it is known.
        stacked: whether series add up.
    """

    title: str
    says: str
    queries: Sequence[Query]
    unit: Unit = "short"
    kind: Literal["timeseries", "stat"] = "timeseries"
    top: float | None = None
    stacked: bool = False


@dataclass(frozen=True)
class Row:
    """Panels about one thing, side by side."""

    title: str
    panels: Sequence[Panel]
    height: int = 8


@dataclass(frozen=True)
class Variable:
    """A choice at the top, filled from a label's values."""

    name: str
    metric: str
    label: str


@dataclass(frozen=True)
class Dashboard:
    """One page.

    Args:
        name: of the file, and the end of the page's address.
        title: shown.
        variables: choices beside the data source's.
        rows: from top to bottom.
    """

    name: str
    title: str
    variables: Sequence[Variable]
    rows: Sequence[Row]

    def queries(self) -> list[Query]:
        """Return every query of the page."""
        return [query for row in self.rows for panel in row.panels for query in panel.queries]

    def document(self) -> dict[str, Any]:
        """Return the page as Grafana's JSON model."""
        panels: list[dict[str, Any]] = []
        top = 0
        for row in self.rows:
            place = {"x": 0, "y": top, "w": _COLUMNS, "h": _ROW_HEIGHT}
            panels.append(_numbered(panels, {"type": "row", "title": row.title, "gridPos": place}))
            top += _ROW_HEIGHT
            width = _COLUMNS // len(row.panels)
            for index, panel in enumerate(row.panels):
                place = {"x": index * width, "y": top, "w": width, "h": row.height}
                panels.append(_numbered(panels, {**_panel(panel), "gridPos": place}))
            top += row.height
        return {
            "uid": f"tidegate-{self.name}",
            "title": self.title,
            "tags": ["tidegate"],
            "schemaVersion": SCHEMA_VERSION,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "10s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "templating": {"list": [_data_source(), *(_variable(each) for each in self.variables)]},
            "annotations": {"list": []},
            "panels": panels,
        }


_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def _numbered(before: Sequence[object], panel: dict[str, Any]) -> dict[str, Any]:
    return {"id": len(before) + 1, **panel}


def _data_source() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "type": "query",
        "datasource": _SOURCE,
        "query": f"label_values({variable.metric}, {variable.label})",
        "refresh": 2,
        "sort": 1,
    }


def _panel(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.top is not None:
        defaults["max"] = panel.top
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "lineWidth": 1,
            "fillOpacity": 20 if panel.stacked else 5,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none"},
        }
        options: dict[str, Any] = {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    else:
        options = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "none", "graphMode": "area"}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.says,
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend,
                "range": True,
            }
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
    }
