"""What the report and the gallery say of experiments."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from support.chaos_run import Failing, build

from tidegate.errors import TidegateError
from tidegate.models import Outcome
from tidegate.models.trial import Finding
from tidegate.report import write_gallery, write_report
from tidegate.report.gallery import entries, points, trends
from tidegate.run import RunReader
from tidegate.verdict import judge
from tidegate.verdict.experiments import experiments
from tidegate.verdict.results import as_json, as_junit, save_results


def test_a_run_broken_on_purpose_is_judged_by_its_experiments(tmp_path: Path) -> None:
    held = judge(RunReader(build(tmp_path / "a")))
    assert held.outcome is Outcome.HELD
    assert [check.name for check in held.checks][1:] == [
        "pod-kill landed",
        "pod-kill steady",
        "pod-kill autoscaler",
    ]
    failed = judge(RunReader(build(tmp_path / "b", failing=(Failing(0, 60),))))
    assert failed.outcome is Outcome.NOT_HELD


def test_the_page_has_proofs_spans_and_evidence(tmp_path: Path) -> None:
    run = build(tmp_path)
    judge(RunReader(run))
    page = write_report(run).read_text()
    for said in (
        'id="experiments"',
        "web-a was deleted",
        "Steady state",
        "during",
        "its word and no evidence",
    ):
        assert said in page


def test_an_undisturbed_run_has_no_such_section(tmp_path: Path) -> None:
    from support.synthetic_run import build_run

    assert 'id="experiments"' not in write_report(build_run(tmp_path)).read_text()


def test_the_gallery_names_every_run_and_counts_what_held(tmp_path: Path) -> None:
    # A Run is named by when it was begun, and these were all begun at once.
    for name, shape in {"a": {}, "b": {"failing": (Failing(0, 60),)}, "c": {"lands": False}}.items():
        made = build(tmp_path / f"draft-{name}", **shape)
        judge(RunReader(made))
        made.rename(tmp_path / name)
    write_report(tmp_path / "a")
    found = entries(tmp_path)
    assert [entry.link for entry in found].count("a/report.html") == 1
    (trend,) = trends(found)
    assert (trend.held, len(trend.findings)) == (1, 3)
    page = write_gallery(tmp_path).read_text()
    assert "1 of 3" in page
    assert "<script" not in page


def test_an_empty_folder_is_no_gallery(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="no Run to show"):
        write_gallery(tmp_path)


def test_a_value_that_is_not_known_leaves_no_point() -> None:
    assert points([None, None]) == []
    assert points([0.0, None, 10.0]) == [(3.0, 25.0), (117.0, 3.0)]


def test_junit_has_a_case_for_each_proof_and_inconclusive_is_no_green_light(tmp_path: Path) -> None:
    trials = [
        *experiments(RunReader(build(tmp_path / "a"))),
        *experiments(RunReader(build(tmp_path / "b", failing=(Failing(0, 60),)))),
        *experiments(RunReader(build(tmp_path / "c", lands=False, errors=("no\x07 netem",)))),
    ]
    suite = ET.fromstring(as_junit(trials))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("9", "1", "1")
    assert suite.find(".//error") is not None
    assert not suite.findall(".//skipped")


def test_json_has_the_finding_over_all(tmp_path: Path) -> None:
    run = build(tmp_path, lands=False)
    trials = experiments(RunReader(run))
    save_results(run, trials)
    said = json.loads((run / "experiments.json").read_text())
    assert said["finding"] == Finding.INCONCLUSIVE
    assert {"name", "finding", "proofs", "signs", "recovery_s"} <= set(said["experiments"][0])
    assert json.loads(as_json(())) == {"finding": "inconclusive", "experiments": []}
