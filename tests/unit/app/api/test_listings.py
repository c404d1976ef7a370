"""Version 2's listings: filters, orders, and pages by key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from app.resources import Resources

if TYPE_CHECKING:
    from tests.unit.app.api.conftest import Run


async def walk(client: httpx.AsyncClient, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every item of a listing, page by page."""
    items: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        answer = await client.get(path, params=query | ({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page = answer.json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


@pytest.mark.parametrize("field", ["id", "name", "price_cents"])
def test_pages_of_every_order_hold_each_product_once(run: Run, field: str) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        up = await walk(client, "/api/v2/products", sort=field, limit=37)
        down = await walk(client, "/api/v2/products", sort=f"-{field}", limit=37)
        keys = [(item[field], item["id"]) for item in up]
        assert keys == sorted(keys)
        assert len(keys) == 200
        assert down == up[::-1]

    run(scenario)


def test_equal_prices_are_told_apart_by_id(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, resources: Resources) -> None:
        async with resources.database.engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE products SET price_cents = 700 WHERE id % 2 = 0")
        for sort in ("price_cents", "-price_cents"):
            items = await walk(client, "/api/v2/products", sort=sort, limit=9)
            assert len({item["id"] for item in items}) == len(items) == 200

    run(scenario)


def test_filters_hold_together_and_on_every_page(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        everything = await walk(client, "/api/v2/products", limit=100)
        query = {"category": "office", "q": "LAMP", "min_price_cents": 2000, "max_price_cents": 8000}
        found = await walk(client, "/api/v2/products", limit=2, sort="-price_cents", **query)
        expected = [
            item
            for item in everything
            if item["category"] == "office" and "lamp" in item["name"] and 2000 <= item["price_cents"] <= 8000
        ]
        assert expected
        assert found == sorted(expected, key=lambda item: (item["price_cents"], item["id"]), reverse=True)
        assert await walk(client, "/api/v2/products", q="%") == []
        assert await walk(client, "/api/v2/products", category="nothing") == []

    run(scenario)


@pytest.mark.parametrize("path", ["/api/v2/products", "/api/v2/orders"])
def test_a_cursor_of_another_listing_is_refused(run: Run, path: str) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        page = (await client.get("/api/v2/products", params={"sort": "price_cents", "limit": 1})).json()
        for cursor in (page["next_cursor"], "nonsense"):
            answer = await client.get(path, params={"cursor": cursor, "sort": "id"})
            assert answer.status_code == 400
            assert answer.json()["type"] == "urn:tidegate:problem:invalid-cursor"

    run(scenario)


@pytest.mark.parametrize("query", ["sort=sku", "q=%00", "min_price_cents=-1", "category=A", "limit=0"])
def test_what_cannot_be_asked_for(run: Run, query: str) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        answer = await client.get(f"/api/v2/products?{query}")
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"query/{query.partition('=')[0]}"

    run(scenario)


def test_orders_are_listed_newest_first_and_by_status(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        body = {"lines": [{"product_id": 1, "quantity": 1}]}
        new = [(await client.post("/api/v2/orders", json=body)).json()["id"] for _ in range(3)]
        everything = await walk(client, "/api/v2/orders", limit=7)
        assert [item["id"] for item in everything[:3]] == new[::-1]
        times = [item["created_at"] for item in everything]
        assert times == sorted(times, reverse=True)
        assert len({item["id"] for item in everything}) == len(everything) > 30
        pending = await walk(client, "/api/v2/orders", status="pending", limit=2)
        assert [item["id"] for item in pending] == new[::-1]

    run(scenario)
