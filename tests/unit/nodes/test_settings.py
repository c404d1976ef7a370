from __future__ import annotations

from pathlib import Path

import pytest
from support.fake_nodes import LARGE, SMALL

from tidegate.errors import TidegateError
from tidegate.nodes.settings import ServerSettings, load_settings, settings_path


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerSettings:
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path))
    return ServerSettings(
        cluster="demo", address="172.18.0.1:1", groups=(SMALL, LARGE), authority="a", certificate="c", key="k"
    )


def test_settings_come_back_as_they_were(settings: ServerSettings) -> None:
    settings.save()
    assert load_settings("demo") == settings


def test_the_key_is_the_users_alone(settings: ServerSettings) -> None:
    settings.save()
    settings.save()
    assert settings_path("demo").stat().st_mode & 0o777 == 0o600


def test_a_cluster_without_a_server(settings: ServerSettings) -> None:
    with pytest.raises(TidegateError, match="the cluster demo has no node server"):
        load_settings("demo")


def test_a_file_that_is_not_ours(settings: ServerSettings) -> None:
    settings_path("demo").parent.mkdir(parents=True)
    settings_path("demo").write_text("{}", encoding="utf-8")
    with pytest.raises(TidegateError, match="cannot be read"):
        load_settings("demo")
