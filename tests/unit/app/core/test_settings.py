from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.login import KEYS

from app.core.settings import Role, SettingsError, load_settings

POSTGRES = "postgresql+asyncpg://who:secret-word@db:5432/shop"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("TIDEGATE_"):
            monkeypatch.delenv(name)


def test_development_starts_with_nothing_set() -> None:
    settings = load_settings()
    assert settings.uses_sqlite
    assert settings.host == "127.0.0.1"


def test_the_environment_is_read_at_the_call_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_PORT", "9000")
    assert load_settings().port == 9000
    monkeypatch.setenv("TIDEGATE_PORT", "9001")
    assert load_settings().port == 9001
    assert load_settings(port=9002).port == 9002


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_FRAUD_WEIGHT", "")
    assert load_settings().fraud_weight == 0.02


@pytest.mark.parametrize(
    ("role", "given", "named"),
    [
        ("web", {}, ["TIDEGATE_DATABASE_URL", "TIDEGATE_REDIS_URL"]),
        ("worker", {"DATABASE_URL": POSTGRES}, ["TIDEGATE_REDIS_URL"]),
        ("web", {"REDIS_URL": "redis://redis:6379/0"}, ["TIDEGATE_DATABASE_URL", "TIDEGATE_AUTH_KEYS"]),
        ("web", {"REDIS_URL": "redis://redis:6379/0", "DATABASE_URL": POSTGRES}, ["TIDEGATE_AUTH_KEYS must"]),
        ("migrate", {}, ["TIDEGATE_DATABASE_URL"]),
        (
            "web",
            {
                "DATABASE_URL": "sqlite+aiosqlite:///shop.db",
                "REDIS_URL": "redis://redis:6379/0",
                "AUTH_KEYS": KEYS,
            },
            ["TIDEGATE_DATABASE_URL must be PostgreSQL"],
        ),
    ],
)
def test_production_refuses_to_start_half_configured(
    monkeypatch: pytest.MonkeyPatch, role: Role, given: dict[str, str], named: list[str]
) -> None:
    monkeypatch.setenv("TIDEGATE_ENVIRONMENT", "production")
    for key, value in given.items():
        monkeypatch.setenv(f"TIDEGATE_{key}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings(role)
    assert all(name in str(caught.value) for name in named)


def test_production_starts_when_all_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_ENVIRONMENT", "production")
    monkeypatch.setenv("TIDEGATE_DATABASE_URL", POSTGRES)
    assert load_settings("migrate").database_url.get_secret_value() == POSTGRES
    monkeypatch.setenv("TIDEGATE_REDIS_URL", "redis://redis:6379/0")
    assert load_settings("worker").redis_url is not None
    monkeypatch.setenv("TIDEGATE_AUTH_KEYS", KEYS)
    assert load_settings("web").environment == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "70000"),
        ("PORT", "eighty"),
        ("FRAUD_WEIGHT", "0"),
        ("DATABASE_URL", "mysql://who:secret-word@db/shop"),
        ("REDIS_URL", "http://who:secret-word@redis"),
        ("DRAIN_S", "20"),
        ("AUTH_KEYS", "secret-word"),
        ("AUTH_KEYS", "a:secret-word"),
        ("AUTH_KEYS", "a:" + "secret-word" * 3 + ",a:" + "secret-word" * 4),
        ("AUTH_KEYS", "a:" + "secret-word" * 3 + ","),
        ("DEMO_PASSWORD", "secret-word"),
        ("LIMIT_WRITES", "0/minute"),
        ("LIMIT_WRITES", "10/fortnight"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("SERVER", "apache"),
        ("SERVER_WORKERS", "2"),
        ("POD_NAME", "two\nlines"),
        ("LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"TIDEGATE_{name}", value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    text = str(caught.value)
    assert f"TIDEGATE_{name}" in text
    assert "\n" not in text
    assert "secret-word" not in text


@pytest.mark.parametrize(("limit_s", "drain_s"), [(20, 3.0), (12, 3.0), (4, 1.0), (1, 0.25)])
def test_the_drain_leaves_most_of_the_time_to_requests(limit_s: int, drain_s: float) -> None:
    assert load_settings(graceful_timeout_s=limit_s).drain_for_s == drain_s


def test_a_worker_without_a_queue_refuses_to_start_anywhere() -> None:
    with pytest.raises(SettingsError, match="TIDEGATE_REDIS_URL must be set"):
        load_settings("worker")


def test_passwords_do_not_show() -> None:
    assert "secret-word" not in repr(load_settings(database_url=POSTGRES))


@pytest.mark.acceptance
@pytest.mark.parametrize("module", ["app", "app.worker", "app.migrate"])
def test_each_process_refuses_in_one_line_and_with_status_3(module: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module],
        env={"TIDEGATE_ENVIRONMENT": "production"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
    assert "TIDEGATE_DATABASE_URL" in done.stderr
