from __future__ import annotations

import json
import subprocess
import sys

import pytest

from app.core.settings import SettingsError, load_settings
from app.core.tracing import current_parent, span

# Both processes as far as they can be built without servers, and what of the library they imported beyond
# what FastAPI itself does (its API package alone, which it requires).
_PROGRAM = """
import fastapi, sys
before = set(sys.modules)
import asyncio, json
from app.core.settings import load_settings
from app.main import create_app
from app.resources import Resources
import app.web, app.worker, app.workers.process, app.workers.inline

async def main():
    resources = Resources.create(load_settings(**json.loads(sys.argv[1])), application="test")
    create_app(resources)
    await resources.close()

asyncio.run(main())
tracing = ("opentelemetry", "google", "requests", "app.telemetry")
print(json.dumps(sorted(name for name in set(sys.modules) - before if name.startswith(tracing))))
"""


def imported(**settings: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(settings)], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_while_it_is_off_nothing_of_it_is_imported() -> None:
    assert imported() == []


def test_while_it_is_on_the_library_is_there() -> None:
    assert "opentelemetry.sdk.trace" in imported(otlp_endpoint="http://127.0.0.1:9")


def test_outside_of_traces_a_span_is_nothing() -> None:
    with span("work") as made:
        assert made is None
    assert current_parent() is None


def test_the_general_variable_alone_turns_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    assert load_settings().otlp_endpoint is None
    monkeypatch.setenv("TIDEGATE_OTLP_ENDPOINT", "http://other:4318")
    assert load_settings().otlp_endpoint == "http://other:4318"


@pytest.mark.parametrize("endpoint", ["collector:4318", "ftp://collector", "http://", "http://a b"])
def test_an_endpoint_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(SettingsError, match="TIDEGATE_OTLP_ENDPOINT"):
        load_settings(otlp_endpoint=endpoint)
