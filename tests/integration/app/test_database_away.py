from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from support.children import wait_until
from support.login import bearer
from support.postgres_server import PostgresServer
from support.service_process import ServiceProcess

from app.core.settings import load_settings
from app.migrate import run as migrate

pytestmark = pytest.mark.integration


def test_the_web_process_outlives_its_database(
    postgres_own: PostgresServer, start_service: Callable[..., ServiceProcess]
) -> None:
    url = postgres_own.new_database()
    process = start_service("app", DATABASE_URL=url)
    with process.client() as web:
        web.headers.update(bearer(1))
        # There is a server, but no schema yet: the migration Job has not run.
        assert web.get("/readyz").status_code == 503
        assert web.get("/healthz").status_code == 200
        asyncio.run(migrate(load_settings("migrate", database_url=url)))
        wait_until(lambda: web.get("/readyz").status_code == 200, what="readiness")
        assert web.get("/api/v1/products/1").status_code == 200

        postgres_own.stop()
        order = {"account_id": "acct-0001", "lines": [{"product_id": 1, "quantity": 1}]}
        for answer in (
            web.get("/api/v1/products/2"),
            web.post("/api/v1/orders", json=order),
            web.post("/api/v2/orders", json=order),
            web.get("/readyz"),
        ):
            assert answer.status_code == 503
            assert answer.json()["type"] == "urn:tidegate:problem:database-unavailable"
        assert web.get("/api/v1/products/2").headers["Retry-After"] == "2"
        # What was found before is still known.
        assert web.get("/api/v1/products/1").status_code == 200
        assert web.get("/healthz").status_code == 200

        postgres_own.start()
        # Straight away, on connections that died with the old server: the first request finds them out.
        assert web.get("/api/v1/products/2").status_code == 200
        assert web.get("/readyz").status_code == 200
        assert web.post("/api/v1/orders", json=order).status_code == 201
