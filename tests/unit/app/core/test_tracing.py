from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.settings import SettingsError, load_settings
from app.core.tracing import current_parent, span

# A process of the service, started as it is in a container and ended when it has redis-py at hand; what it
# imported of the tracing library beyond what FastAPI itself does (the API alone, which it requires).
_PROGRAM = """
import sys, fastapi
before = set(sys.modules)
import atexit, importlib, json, os, signal, threading, time

def report():
    tracing = ("opentelemetry", "google", "requests", "app.telemetry")
    print(json.dumps(sorted(name for name in set(sys.modules) - before if name.startswith(tracing))))

def waiting():
    # Until the loop handles signals, a function without a name of its own does.
    return getattr(signal.getsignal(signal.SIGTERM), "__name__", "") == "<lambda>"

def end():
    while "redis.asyncio" not in sys.modules or waiting():
        time.sleep(0.01)
    # Waits for another thread's import of it to end.
    importlib.import_module("redis.asyncio")
    os.kill(os.getpid(), signal.SIGTERM)

atexit.register(report)
threading.Thread(target=end, daemon=True).start()
sys.exit(importlib.import_module(sys.argv[1]).main())
"""


def imported(module: str, folder: Path, **settings: str) -> list[str]:
    """What the process imported; there is neither a database nor a Redis, for which it waits."""
    known = {"PORT": "0", "WORKER_METRICS_PORT": "0", "DRAIN_S": "0", "REDIS_URL": "redis://127.0.0.1:1/0"}
    env = {key: value for key, value in os.environ.items() if not key.startswith(("TIDEGATE_", "OTEL_"))}
    env |= {f"TIDEGATE_{key}": value for key, value in (known | settings).items()}
    env["PYTHONPATH"] = str(Path(__file__).resolve().parents[4])
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, module],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
        env=env,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("module", ["app.__main__", "app.worker"])
def test_while_it_is_off_nothing_of_it_is_imported(module: str, tmp_path: Path) -> None:
    assert imported(module, tmp_path) == []


@pytest.mark.parametrize("module", ["app.__main__", "app.worker"])
def test_while_it_is_on_the_library_is_there(module: str, tmp_path: Path) -> None:
    found = imported(module, tmp_path, OTLP_ENDPOINT="http://127.0.0.1:9")
    assert {"opentelemetry.sdk.trace", "app.telemetry.tracing"} <= set(found)


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
