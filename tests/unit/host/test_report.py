from __future__ import annotations

import io

from rich.console import Console

from tidegate.host.report import Check, DoctorReport, Outcome, summary, table


def report(*outcomes: Outcome) -> DoctorReport:
    checks = tuple(
        Check(group="tools", name=f"check {i}", outcome=o, found="[found] it", cure="mend it")
        for i, o in enumerate(outcomes)
    )
    return DoctorReport(checks=checks, took_s=1.25)


def test_only_a_failure_changes_the_exit_code() -> None:
    assert report().exit_code == 0
    assert report(Outcome.OK, Outcome.WARN).exit_code == 0
    assert report(Outcome.OK, Outcome.WARN).outcome is Outcome.WARN
    assert report(Outcome.WARN, Outcome.FAIL, Outcome.OK).exit_code == 3


def test_the_table_has_words_for_colours_and_leaves_brackets_alone() -> None:
    written = io.StringIO()
    Console(file=written, width=120).print(table(report(Outcome.OK, Outcome.FAIL)))
    lines = written.getvalue().splitlines()
    assert lines[1].split() == ["tools", "ok", "check", "0", "[found]", "it", "mend", "it"]
    assert lines[2].split()[0] == "fail"
    assert "\x1b" not in written.getvalue()


def test_the_summary_counts() -> None:
    assert summary(report(Outcome.OK, Outcome.OK, Outcome.FAIL)) == "2 ok, 1 fail, in 1.2 s"


def test_json_comes_back() -> None:
    one = report(Outcome.WARN)
    assert DoctorReport.model_validate_json(one.model_dump_json()) == one
