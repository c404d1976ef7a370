"""What doctor found."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field
from rich.table import Table
from rich.text import Text


class Outcome(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(BaseModel):
    """One thing that was looked at."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str = Field(description="Heading it belongs under.")
    name: str = Field(description="What was looked at.")
    outcome: Outcome = Field(
        description="fail: the kit cannot work; warn: something will be slower or missing."
    )
    found: str = Field(description="What was found, as a clause.")
    cure: str = Field(default="", description="What to do about it; empty if there is nothing to do.")


class DoctorReport(BaseModel):
    """All checks, in the order of their groups."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checks: tuple[Check, ...]
    took_s: float = Field(ge=0, description="Seconds all of it took.")

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of any check."""
        present = {check.outcome for check in self.checks}
        return next((o for o in (Outcome.FAIL, Outcome.WARN) if o in present), Outcome.OK)

    @property
    def exit_code(self) -> int:
        """0 if nothing fails, else 3."""
        return 3 if self.outcome is Outcome.FAIL else 0


_STYLE = {Outcome.OK: "green", Outcome.WARN: "yellow", Outcome.FAIL: "bold red"}


def table(report: DoctorReport) -> Table:
    """The report as a table for a terminal: words beside the colours, so that neither is needed alone."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "", "check", "found", "cure"):
        shown.add_column(heading, overflow="fold")
    group = ""
    for check in report.checks:
        heading = "" if check.group == group else check.group
        group = check.group
        shown.add_row(
            Text(heading, style="bold"),
            Text(check.outcome.value, style=_STYLE[check.outcome]),
            Text(check.name),
            Text(check.found),
            Text(check.cure, style="dim"),
        )
    return shown


def summary(report: DoctorReport) -> str:
    """One line: how many checks ended how."""
    counts = {o: sum(c.outcome is o for c in report.checks) for o in Outcome}
    words = [f"{counts[o]} {o.value}" for o in Outcome if counts[o]]
    return f"{', '.join(words)}, in {report.took_s:.1f} s"
