"""One page over many Runs: what each came to, and how an experiment's figures moved from Run to Run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from tidegate.errors import TidegateError
from tidegate.models import Outcome
from tidegate.models.trial import Finding, Trial
from tidegate.report.page import content_policy, environment, static
from tidegate.run import RunReader, totals, write_atomic
from tidegate.run.format import PLAN_FILE, REPORT_FILE
from tidegate.verdict.experiments import experiments

GALLERY_FILE = "index.html"
_STYLES = ("tokens.css", "base.css", "tables.css")
_WIDTH, _HEIGHT, _EDGE = 120.0, 28.0, 3.0


@dataclass(frozen=True)
class Entry:
    """One Run in the gallery."""

    run_id: str
    created_s: float
    scenario: str
    outcome: Outcome | None
    link: str | None
    """Its report, relative to the gallery; None where there is none."""
    requests: int
    availability_percent: float | None
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Trend:
    """One experiment over all Runs that did it, in the order of time."""

    name: str
    findings: tuple[Finding, ...]
    recovery_s: tuple[float | None, ...]
    p99_ms: tuple[float | None, ...]

    @property
    def held(self) -> int:
        """How often it held."""
        return self.findings.count(Finding.HELD)


def entries(folder: Path) -> list[Entry]:
    """Return what each Run below `folder` came to, the newest first; a damaged one is left out.

    Raises:
        TidegateError: there is no Run.
    """
    found: list[Entry] = []
    for plan in sorted(folder.glob(f"*/{PLAN_FILE}")):
        try:
            found.append(_entry(plan.parent))
        except TidegateError:
            continue
    if not found:
        raise TidegateError("no Run to show", where=str(folder), cure="name the folder that holds Runs")
    return sorted(found, key=lambda entry: (entry.created_s, entry.run_id), reverse=True)


def _entry(path: Path) -> Entry:
    run = RunReader(path)
    counted, verdict = totals(run), run.verdict
    return Entry(
        run_id=run.plan.run_id,
        created_s=run.plan.created_s,
        scenario=run.plan.scenario,
        outcome=verdict.outcome if verdict else None,
        link=f"{quote(path.name)}/{REPORT_FILE}" if (path / REPORT_FILE).is_file() else None,
        requests=counted.requests,
        availability_percent=counted.availability_percent,
        trials=experiments(run),
    )


def trends(found: Sequence[Entry]) -> list[Trend]:
    """Return each experiment's history, by name."""
    by_name: dict[str, list[Trial]] = {}
    for trial in sorted((trial for entry in found for trial in entry.trials), key=lambda one: one.asked_s):
        by_name.setdefault(trial.name, []).append(trial)
    return [
        Trend(
            name,
            tuple(trial.finding for trial in each),
            tuple(trial.recovery_s for trial in each),
            tuple(trial.spans[1].p99_ms for trial in each),
        )
        for name, each in sorted(by_name.items())
    ]


def points(values: Sequence[float | None]) -> list[tuple[float, float]]:
    """Return where a small line chart has its points; a value that is not known leaves none."""
    known = [value for value in values if value is not None]
    if not known:
        return []
    least, most = min(0.0, *known), max(known)
    reach = (most - least) or 1.0
    step = (_WIDTH - 2 * _EDGE) / max(1, len(values) - 1)
    return [
        (
            round(_EDGE + i * step, 1),
            round(_HEIGHT - _EDGE - (value - least) / reach * (_HEIGHT - 2 * _EDGE), 1),
        )
        for i, value in enumerate(values)
        if value is not None
    ]


def write_gallery(folder: Path) -> Path:
    """Write the page into `folder` and return its path.

    Raises:
        TidegateError: there is no Run, or the page cannot be written.
    """
    found = entries(folder)
    styles = static(_STYLES)
    page = (
        environment()
        .get_template("gallery.html.j2")
        .render(
            entries=found,
            trends=trends(found),
            points=points,
            styles=Markup(styles),  # noqa: S704 - the project's own file, hashed in the policy
            content_policy=content_policy(styles),
        )
    )
    write_atomic(folder / GALLERY_FILE, page.encode())
    return folder / GALLERY_FILE
