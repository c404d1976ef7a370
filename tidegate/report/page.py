"""Turn the figures into the page."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tidegate.lag import DOWN_PARTS, NODE_PARTS, UP_PARTS
from tidegate.models import Plan
from tidegate.report import words
from tidegate.report.bars import NODE_WORDS, PART_WORDS, bar, scale_of
from tidegate.report.embed import script_json
from tidegate.report.hero import hero
from tidegate.report.model import ReportData
from tidegate.report.settings import policy_sections, slo_settings

STYLES = ("tokens.css", "base.css", "hero.css", "charts.css", "tables.css", "print.css")
SCRIPTS = (
    "dom.js",
    "scale.js",
    "timeline.js",
    "marks.js",
    "chart.js",
    "pointer.js",
    "readout.js",
    "lanes.js",
    "overview.js",
    "specs.js",
    "page.js",
)
MOST_EVENTS = 200
"""Scale events listed; the JSON has all of them."""
FIRST_SCRIPT = "theme.js"
"""Runs before anything is painted, so that a chosen theme does not flash."""


@cache
def static(names: tuple[str, ...]) -> str:
    """Return these files of the folder `static`, joined."""
    folder = files("tidegate.report") / "static"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _script() -> str:
    return f'(() => {{\n"use strict";\n{static(SCRIPTS)}\n}})();\n'


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def content_policy(styles: str, *scripts: str) -> str:
    """Return the Content-Security-Policy: this page's own inline style and scripts, and nothing else.

    By their hashes: a script that found its way into the page through the run's data would not run, and
    nothing can be fetched from anywhere.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src {_hash(styles)}",
            "script-src " + (" ".join(_hash(script) for script in scripts) or "'none'"),
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


@cache
def environment() -> Environment:
    """Return the templates, with the filters that turn figures into words."""
    made = Environment(
        loader=PackageLoader("tidegate.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in (
        "whole",
        "number",
        "seconds",
        "milliseconds",
        "percent",
        "offset",
        "date",
        "plural",
        "unit_value",
    ):
        made.filters[name] = getattr(words, name)
    return made


def render(data: ReportData, plan: Plan) -> str:
    """Return the page."""
    styles, first, script = static(STYLES), static((FIRST_SCRIPT,)), _script()
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            data=data,
            plan=plan,
            data_json=script_json(data.model_dump(mode="json", by_alias=True)),
            plan_json=plan.model_dump_json(indent=2),
            content_policy=content_policy(styles, first, script),
            # The project's own files, hashed above: escaping would change them.
            styles=Markup(styles),  # noqa: S704
            first_script=Markup(first),  # noqa: S704
            script=Markup(script),  # noqa: S704
            sections=policy_sections(plan.policy),
            objectives=slo_settings(plan.slo),
            hero=hero(data),
            bar=bar,
            bar_scale=scale_of(data.scale_events),
            most_events=MOST_EVENTS,
            part_words=PART_WORDS,
            up_parts=UP_PARTS,
            down_parts=DOWN_PARTS,
            node_parts=NODE_PARTS,
            node_words=NODE_WORDS,
            directions={event.direction for event in data.scale_events},
        )
    )
