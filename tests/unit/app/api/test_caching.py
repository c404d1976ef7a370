from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest

from app.core.settings import Settings
from app.resources import Resources

if TYPE_CHECKING:
    from tests.unit.app.api.conftest import Run

OPERATOR = "an-operators-token-for-tests-only"


@pytest.fixture
def shop(shop: Settings) -> Settings:
    return shop.model_copy(update={"operator_token": type(shop.database_url)(OPERATOR)})


PATHS = [
    "/api/v1/products/1",
    "/api/v2/products/2",
    "/api/v1/products?limit=3",
    "/api/v2/products?sort=-name",
]


@pytest.mark.parametrize("path", PATHS)
def test_a_callers_copy_is_confirmed_by_its_tag(run: Run, path: str) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        first = await client.get(path)
        etag = first.headers["ETag"]
        for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
            again = await client.get(path, headers={"If-None-Match": condition})
            assert (again.status_code, again.content) == (304, b"")
            for name in ("ETag", "Cache-Control", "Vary", "Surrogate-Key"):
                assert again.headers[name] == first.headers[name]
        other = await client.get(path, headers={"If-None-Match": '"other"'})
        assert (other.status_code, other.content) == (200, first.content)
        assert first.headers["Cache-Control"] == ("public, max-age=5, s-maxage=30, stale-while-revalidate=30")
        assert first.headers["Surrogate-Key"] == (f"product:{path[-1]}" if path[-2] == "/" else "products")

    run(scenario)


def test_a_new_price_shows_at_once_and_everywhere(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        before = {path: await client.get(path) for path in (PATHS[0], PATHS[2], "/api/v2/products/1")}
        body, headers = {"price_cents": 12345}, {"Authorization": f"Bearer {OPERATOR}"}
        changed = await client.patch("/api/v2/products/1", json=body, headers=headers)
        assert changed.json()["price_cents"] == 12345
        for path, old in before.items():
            new = await client.get(path, headers={"If-None-Match": old.headers["ETag"]})
            assert new.status_code == 200
            assert '"price_cents":12345' in new.text
        missing = await client.patch("/api/v2/products/999", json=body, headers=headers)
        assert missing.status_code == 404

    run(scenario)


def test_prices_are_for_operators(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        body = {"price_cents": 1}
        # The client's own token, of an account, is not an operator's.
        for headers in ({}, {"Authorization": ""}, {"Authorization": f"Bearer {OPERATOR}x"}):
            answer = await client.patch("/api/v2/products/1", json=body, headers=headers)
            assert answer.status_code == 401
        assert (await client.get("/api/v2/products/1")).json()["price_cents"] != 1

    run(scenario)


@pytest.mark.parametrize(
    ("form", "kind"), [("svg", "image/svg+xml"), ("folded", "text/plain; charset=utf-8")]
)
def test_operators_may_look_into_the_process(run: Run, form: str, kind: str) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        query = {"seconds": "0.1", "format": form}
        refused = await client.get("/debug/profile", params=query)
        assert refused.status_code == 401
        answer = await client.get(
            "/debug/profile", params=query, headers={"Authorization": f"Bearer {OPERATOR}"}
        )
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
        assert "MainThread" in answer.text

    run(scenario)


def test_second_reads_make_no_query(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, resources: Resources) -> None:
        bodies = [(await client.get(path)).content for path in PATHS]
        await resources.database.dispose()
        async with resources.database.engine.begin() as connection:
            await connection.exec_driver_sql("ALTER TABLE products RENAME TO gone")
        assert [(await client.get(path)).content for path in PATHS] == bodies
        lookups = {"layer": "response", "result": "hit"}
        found = resources.metrics.registry.get_sample_value("tidegate_cache_lookups_total", lookups)
        assert found == len(PATHS)

    run(scenario)


def test_orders_and_failures_are_kept_nowhere(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        body = {"lines": [{"product_id": 1, "quantity": 1}]}
        order = await client.post("/api/v2/orders", json=body)
        for answer in (
            order,
            await client.get(order.headers["Location"]),
            await client.get("/api/v2/orders"),
        ):
            assert answer.headers["Cache-Control"] == "private, no-store"
            assert answer.headers["Vary"] == "Authorization"
        for path in ("/api/v2/products/999", "/nowhere"):
            assert (await client.get(path)).headers["Cache-Control"] == "no-store"

    run(scenario)
