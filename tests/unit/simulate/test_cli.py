from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.hpa_histories import history, sync
from typer.testing import CliRunner

from tidegate.errors import TidegateError
from tidegate.simulate.cli import app


@pytest.fixture
def histories(tmp_path: Path) -> Path:
    path = tmp_path / "histories.jsonl"
    lines = [history(sync(1000, 2)), history(sync(1000, 3, "10m"), sync(1301, 3, "10m"))]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_decide_prints_one_line_for_one_line(histories: Path) -> None:
    result = CliRunner().invoke(app, ["decide", str(histories)], catch_exceptions=False)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [[one["desired_replicas"] for one in line["decisions"]] for line in lines] == [[4], [3, 1]]


def test_decide_reads_standard_input(histories: Path) -> None:
    result = CliRunner().invoke(app, ["decide"], input=histories.read_bytes(), catch_exceptions=False)
    assert len(result.stdout.splitlines()) == 2


def test_bad_lines_make_the_exit_an_error(histories: Path) -> None:
    histories.write_text("{}\n" + histories.read_text())
    with pytest.raises(TidegateError, match="1 of 3 lines are no history"):
        CliRunner().invoke(app, ["decide", str(histories)], catch_exceptions=False)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="cannot read: No such file"):
        CliRunner().invoke(app, ["decide", str(tmp_path / "none")], catch_exceptions=False)


def test_explain_prints_the_tree_of_one_sync(histories: Path) -> None:
    result = CliRunner().invoke(app, ["explain", str(histories), "--line", "2"], catch_exceptions=False)
    assert result.stdout.splitlines() == [
        "3 replicas become 1 at 1301 s",
        "├─ the one metric asks for 1",
        "│  └─ Resource cpu: 1",
        "│     ├─ 2 % of the requests against 50: ratio 0.04 (ignored from 0.9 to 1.1)",
        "│     ├─ pods: 3 counted",
        "│     └─ the ratio times the pods that count, rounded up",
        "└─ conditions",
        "   ├─ AbleToScale: True/SucceededRescale",
        "   ├─ ScalingActive: True/ValidMetricFound",
        "   └─ ScalingLimited: False/DesiredWithinRange",
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--line", "3"], "there is no line 3: the input has 2"),
        (["--line", "2", "--sync", "3"], "the history has 2 syncs"),
        (["--live", "web"], "is not NAMESPACE/NAME"),
    ],
)
def test_explain_says_what_is_not_there(histories: Path, words: list[str], told: str) -> None:
    with pytest.raises(TidegateError, match=told):
        CliRunner().invoke(app, ["explain", str(histories), *words], catch_exceptions=False)
