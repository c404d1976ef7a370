from __future__ import annotations

import shlex
import stat
from pathlib import Path

import pytest

from tidegate.deploy.environment import (
    backend_url,
    check_no_foreign_passphrase,
    passphrase_file,
    shell_exports,
    tool_environment,
)
from tidegate.errors import TidegateError


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)


def test_the_passphrase_is_random_private_and_made_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = passphrase_file()
    text = first.read_text()
    assert passphrase_file().read_text() == text
    assert len(text.strip()) >= 43
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert [path.name for path in first.parent.iterdir()] == ["passphrase"]
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path / "other"))
    assert passphrase_file().read_text() != text


def test_the_environment_names_own_tools_and_own_cluster(tmp_path: Path) -> None:
    found = tool_environment({"DOCKER_HOST": "unix:///x"}, cluster="blue")
    assert found["PATH"].startswith(f"{tmp_path}/state/bin:")
    assert found["KUBECONFIG"] == f"{tmp_path}/state/clusters/blue/kubeconfig"
    assert found["DOCKER_HOST"] == "unix:///x"
    assert found["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/state/pulumi/state"


def test_a_backend_of_the_users_choice_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://bucket")
    assert backend_url() == "s3://bucket"


def test_exports_survive_a_shell() -> None:
    line = shell_exports({"A": "it's a path/with space"})
    assert shlex.split(line) == ["export", "A=it's a path/with space"]


def test_a_passphrase_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_no_foreign_passphrase()
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "x")
    with pytest.raises(TidegateError, match="unset it"):
        check_no_foreign_passphrase()
