"""Doctor as a whole, on this machine: it must end in time and judge everything, whatever it finds."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.host import doctor
from tidegate.host.doctor import run_doctor
from tidegate.host.facts import Facts
from tidegate.host.report import Check, DoctorReport, Outcome


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("TIDEGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)


def by_name(report: DoctorReport) -> dict[str, Check]:
    return {check.name: check for check in report.checks}


def test_looks_at_everything_and_changes_nothing(tmp_path: Path) -> None:
    report = run_doctor()
    names = by_name(report)
    assert len(names) == len(report.checks), "two checks have one name"
    expected = {
        "platform",
        "python",
        "access",
        "container engine",
        "privileged containers",
        "cpu",
        "gateway port",
    }
    expected |= {"docker", "kind", "kubectl", "helm", "pulumi", "pulumi-language-python", "go", "git", "uv"}
    expected |= {"pulumi plugin", "image registry", "Go modules", "Python packages", "Debian packages"}
    assert expected <= set(names)
    assert all(check.cure for check in report.checks if check.outcome is Outcome.FAIL)
    groups = [check.group for check in report.checks]
    order = ["system", "engine", "kernel", "resources", "ports", "tools", "network"]
    assert groups == sorted(groups, key=order.index)
    assert list(tmp_path.iterdir()) == []


def test_a_taken_port_fails_with_its_number() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        report = run_doctor(gateway_port=port, api_port=port)
    assert report.exit_code == 3
    for name in ("gateway port", "API port"):
        check = by_name(report)[name]
        assert check.outcome is Outcome.FAIL
        assert f"127.0.0.1:{port} is taken" in check.found


def test_an_engine_that_is_named_but_absent_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/absent")
    check = by_name(run_doctor())["container engine"]
    assert check.outcome is Outcome.FAIL
    assert "DOCKER_HOST" in check.found


def never_ends_check(facts: Facts) -> list[Check]:
    del facts
    threading.Event().wait()
    return []


def raises_check(facts: Facts) -> list[Check]:
    raise TidegateError("the disk is on fire")


def good_checks(facts: Facts) -> list[Check]:
    return [Check(group="tools", name=str(i), outcome=Outcome.OK, found="it") for i in range(2)]


def test_one_bad_check_spoils_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    for function in (never_ends_check, raises_check, good_checks):
        monkeypatch.setattr(function, "__module__", "tidegate.host.checks.tools")
    monkeypatch.setattr(doctor, "CHECKS", (never_ends_check, raises_check, good_checks))
    names = by_name(run_doctor(deadline_s=1.0))
    assert names["never ends"].found == "did not end in time"
    assert names["raises"].found == "could not be looked at: the disk is on fire"
    assert names["never ends"].outcome is names["raises"].outcome is Outcome.WARN
    assert names["0"].outcome is names["1"].outcome is Outcome.OK


def command(*words: str) -> subprocess.CompletedProcess[str]:
    code = (
        "import typer; from tidegate.host.cli import doctor_command, engine_command\n"
        "app = typer.Typer(); app.command('doctor')(doctor_command); app.command('engine')(engine_command)\n"
        "app()"
    )
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120, check=False
    )


def test_the_command_prints_only_its_result_and_exits_by_it() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        done = command("doctor", "-o", "json", "--gateway-port", str(server.getsockname()[1]))
    report = DoctorReport.model_validate(json.loads(done.stdout))
    assert done.returncode == report.exit_code == 3
    assert "Looking at this machine" in done.stderr


def test_the_table_names_every_group() -> None:
    done = command("doctor")
    assert done.returncode in (0, 3)
    for group in ("system", "engine", "resources", "ports", "tools", "network"):
        assert any(line.startswith(group) for line in done.stdout.splitlines()), done.stdout


def test_stopping_an_engine_that_was_never_started() -> None:
    done = command("engine", "stop")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "no engine of our own was running\n"


def test_an_option_of_another_action_is_refused() -> None:
    assert "belongs to `stop`" in command("engine", "start", "--remove-data").stderr
