"""What the web process imports and builds before it is ready, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# The web process up to where it would serve; then it tells what it has imported, what its routes are, and
# which models of answers are built.
_PROGRAM = """
import json, sys
import app.__main__, app.web

def serve(application, settings, listener, resources):
    from uvicorn.config import Config
    from app.server import http_options
    Config(application, **http_options(settings)).load()
    modules = [name for name, module in sys.modules.items() if module]
    from app.schemas import auth, orders, problems, products
    built = [
        name
        for module in (auth, orders, problems, products)
        for name, model in vars(module).items()
        if isinstance(model, type)
        and issubclass(model, products.ResponseModel)
        and model.__pydantic_complete__
    ]
    routes = sorted({type(route).__name__ for route in application.routes})
    print(json.dumps({"modules": modules, "built": built, "routes": routes}))
    sys.exit(0)

app.web._run_uvicorn = serve
app.__main__.main()
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("TIDEGATE_", "OTEL_"))}
    env |= {
        "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
        "TIDEGATE_DATABASE_URL": "postgresql+asyncpg://who:what@127.0.0.1:1/shop",
        "TIDEGATE_REDIS_URL": "redis://127.0.0.1:1/0",
        "TIDEGATE_PORT": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path_factory.mktemp("start"),
        env=env,
    )
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    "module",
    [
        "aiosqlite",
        "alembic",
        "app.services.flame_graph",
        "app.telemetry",
        "argon2",
        "click",
        "dramatiq",
        "gunicorn",
        "hypercorn",
        "jwt",
        "limits",
        "opentelemetry.sdk",
        "prometheus_client.exposition",
        "pydantic.v1",
        "pydantic_settings",
        "redis",
        "sqlalchemy.dialects.sqlite",
        "uvicorn.main",
        "websockets",
    ],
)
def test_what_no_start_needs_waits_until_it_is_needed(start: dict[str, Any], module: str) -> None:
    assert [name for name in start["modules"] if name == module or name.startswith(module + ".")] == []


def test_what_the_service_runs_on_is_there(start: dict[str, Any]) -> None:
    assert {"app.api.v2.orders", "sqlalchemy.dialects.postgresql.asyncpg", "uvicorn.server"} <= set(
        start["modules"]
    )


def test_answers_are_understood_when_the_first_one_is_made(start: dict[str, Any]) -> None:
    assert start["built"] == []


def test_routes_are_the_applications_own_and_so_are_not_built_again_for_the_first_request(
    start: dict[str, Any],
) -> None:
    assert start["routes"] == ["APIRoute", "APIWebSocketRoute", "Route"]
