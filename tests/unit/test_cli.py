"""The command line as a person or a script meets it: exit codes, one line for each mistake."""

from __future__ import annotations

import copy
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.synthetic_run import SLO, build_run

from tidegate import cli
from tidegate.cli import EXIT_ERROR, EXIT_INTERRUPTED, main, pairs
from tidegate.errors import TidegateError
from tidegate.host.lock import state_lock
from tidegate.host.paths import project_root
from tidegate.models import Slo


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("TIDEGATE_CACHE", str(tmp_path / "cache"))


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of `tidegate words`."""
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(sys, "argv", ["tidegate", *words])
    monkeypatch.setattr(cli, "app", _fresh_app())
    try:
        with pytest.raises(SystemExit) as caught:
            main()
    finally:
        signal.signal(signal.SIGTERM, before)
    code = caught.value.code
    assert isinstance(code, int)
    return code


def _fresh_app() -> object:
    """`main` mounts the parts' commands each time; without a copy they would pile up."""
    kept = copy.copy(cli.app)
    kept.registered_commands = list(cli.app.registered_commands)
    kept.registered_groups = list(cli.app.registered_groups)
    return kept


def one_error(capsys: pytest.CaptureFixture[str]) -> str:
    """Standard error, which must be exactly one line that begins with `error:`; standard output is empty."""
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert len(lines) == 1, told.err
    assert lines[0].startswith("error: ")
    return lines[0]


@pytest.mark.parametrize(
    ("words", "telling"),
    [
        (["frobnicate"], "No such command 'frobnicate'"),
        (["up", "--stacks", "x"], "No such option"),
        (["up", "--stack", "nobody"], "Pulumi.nobody.yaml"),
        (["up", "--stack", "../etc/passwd"], "Pulumi"),
        (["schema", "hpa"], "choose from"),
        (["install", "everything"], "choose from"),
        (["report", "/nowhere/run"], "/nowhere/run"),
        (["verdict", "/nowhere/run"], "/nowhere/run"),
        (["lag", "/nowhere/run"], "/nowhere/run"),
        (["load", "spike"], "is not deployed"),
        (["load", "--clean"], "is not deployed"),
        (["load", "spike", "--in-cluster", "2"], "is not deployed"),
        (["load", "spike", "--in-cluster", "65"], "65 is not in the range"),
        (["load"], "name a scenario"),
        (["load", "spike", "--clean"], "name a scenario, or give --clean"),
        (["prove", "spik"], "spike"),
        (["prove", "spike", "--set", "spike_user=3"], "spike_users"),
    ],
)
def test_a_mistake_is_one_line_and_status_three(
    words: list[str],
    telling: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("tidegate.prepare.find_engine", lambda: None)
    assert call(monkeypatch, *words) == EXIT_ERROR
    assert telling in one_error(capsys)


def test_without_an_engine_a_plain_user_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tidegate.prepare.find_engine", lambda: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert call(monkeypatch, "up") == EXIT_ERROR
    told = one_error(capsys)
    assert "no container engine answers" in told
    assert "Cure: start docker" in told


def test_a_second_command_on_the_same_state_is_refused_with_the_firsts_number(tmp_path: Path) -> None:
    with state_lock("up"):
        # The lock belongs to a process: only another one can meet it.
        done = subprocess.run(
            [sys.executable, "-c", "from tidegate.cli import main; main()", "down"],
            env={**os.environ, "TIDEGATE_STATE": str(tmp_path / "state")},
            cwd=project_root(),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == EXIT_ERROR
    assert done.stderr.count("\n") == 1
    assert f"`tidegate up`, pid {os.getpid()}," in done.stderr


def test_an_unknown_key_of_the_policy_is_named_with_its_neighbour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (project_root() / "Pulumi.local.yaml").read_text()
    (tmp_path / "Pulumi.yaml").write_text("name: tidegate\nruntime: python\n")
    (tmp_path / "Pulumi.local.yaml").write_text(text.replace("cpu_target_percent", "cpu_target"))
    monkeypatch.setattr("tidegate.prepare.project_root", lambda: tmp_path)
    assert call(monkeypatch, "up") == EXIT_ERROR
    told = one_error(capsys)
    assert "cpu_target" in told
    assert "cpu_target_percent" in told
    assert str(tmp_path / "Pulumi.local.yaml") in told


def test_an_interruption_has_a_status_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tidegate.prepare.stack_config", interrupted)
    assert call(monkeypatch, "up") == EXIT_INTERRUPTED
    assert "tidegate down" in capsys.readouterr().err
    assert call(monkeypatch, "chaos", "pod-kill") == EXIT_INTERRUPTED
    assert "tidegate chaos --clean" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("availability_percent", "min_requests", "status", "word"),
    [(99.9, 500, 0, "held"), (99.99, 500, 1, "not held"), (99.9, 1_000_000, 2, "could not tell")],
)
def test_the_status_is_the_verdict(
    availability_percent: float,
    min_requests: int,
    status: int,
    word: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    changed = SLO.model_dump() | {"availability_percent": availability_percent, "min_requests": min_requests}
    folder = build_run(tmp_path, slo=Slo.model_validate(changed))
    assert call(monkeypatch, "verdict", str(folder)) == status
    told = capsys.readouterr()
    assert word in told.out.lower()
    assert str(folder / "report.html") in told.out


def test_the_report_is_written_and_its_path_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = build_run(tmp_path)
    assert call(monkeypatch, "report", str(folder)) == 0
    printed = capsys.readouterr().out.replace("\n", "")
    assert Path(printed).read_text().startswith("<!")


def test_schemas_are_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for model in ("policy", "slo", "cluster"):
        assert call(monkeypatch, "schema", model) == 0
        assert json.loads(capsys.readouterr().out)["type"] == "object"


def test_parameters_are_pairs() -> None:
    assert pairs(["a=1", "b=x=y", "c="]) == {"a": "1", "b": "x=y", "c": ""}
    assert pairs(None) == {}
    for wrong in ("a", "=1", ""):
        with pytest.raises(TidegateError, match="is not name=value"):
            pairs([wrong])
