"""The application put together, in process, on a database file."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import httpx
import pytest
from support.login import bearer

from app.core.settings import Settings, load_settings
from app.main import create_app
from app.resources import Resources
from app.services import fraud_pool
from app.services.fraud import FraudAssessment, PlacedOrder, assess
from app.workers.inline import inline_worker

Scenario = Callable[[httpx.AsyncClient, Resources], Awaitable[None]]


def run(settings: Settings, scenario: Scenario, *, inline: bool = False) -> None:
    async def main() -> None:
        resources = Resources.create(settings, application="test")
        app = create_app(resources, background=inline_worker if inline else None)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app), base_url="http://test", headers=bearer(1)
            ) as client,
        ):
            await scenario(client, resources)

    asyncio.run(main())


def test_the_document_describes_every_route_and_its_problems(shop: Settings) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        document = (await client.get("/openapi.json")).json()
        routes = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
        assert routes == {
            ("GET", "/api/v1/products"),
            ("GET", "/api/v1/products/{id}"),
            ("POST", "/api/v1/orders"),
            ("GET", "/api/v1/orders/{id}"),
            ("POST", "/api/v2/orders"),
            ("GET", "/api/v2/orders/{id}"),
            ("GET", "/api/v2/orders"),
            ("GET", "/api/v2/products"),
            ("GET", "/api/v2/products/{id}"),
            ("PATCH", "/api/v2/products/{id}"),
            ("GET", "/api/v2/streams/orders/{id}"),
            ("POST", "/api/v1/auth/token"),
            ("POST", "/api/v2/auth/token"),
            ("GET", "/startupz"),
            ("GET", "/healthz"),
            ("GET", "/readyz"),
            ("GET", "/startupz"),
            ("GET", "/metrics"),
            ("GET", "/debug/profile"),
        }
        assert {"Problem", "ProblemItem", "OrderIn"} <= document["components"]["schemas"].keys()
        text = (await client.get("/openapi.json")).text
        names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
        assert names <= document["components"]["schemas"].keys()
        problem = document["paths"]["/api/v1/orders"]["post"]["responses"]["422"]["content"]
        assert list(problem) == ["application/problem+json"]
        # Asked for twice, it is still the same.
        assert (await client.get("/openapi.json")).json() == document

    run(shop, scenario)


def test_the_pages_with_foreign_scripts_are_for_developers_only(shop: Settings) -> None:
    async def shown(client: httpx.AsyncClient, _: Resources) -> None:
        assert (await client.get("/docs")).status_code == 200

    async def hidden(client: httpx.AsyncClient, _: Resources) -> None:
        assert (await client.get("/docs")).status_code == 404

    run(shop, shown)
    run(shop.model_copy(update={"environment": "production"}), hidden)


def test_readiness_ends_with_the_drain_and_liveness_does_not(shop: Settings) -> None:
    async def scenario(client: httpx.AsyncClient, resources: Resources) -> None:
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        resources.lifecycle.begin_drain()
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.headers["Connection"] == "close"
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/api/v1/products/1")).status_code == 200

    run(shop, scenario)


def test_a_body_that_is_no_json_is_pointed_at(shop: Settings) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        headers = {"Content-Type": "application/json"}
        answer = await client.post("/api/v1/orders", content=b"{not json", headers=headers)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith("#")
        body = {"account_id": "acct-0001", "lines": [{"product_id": 1, "quantity": 0}]}
        answer = await client.post("/api/v2/orders", json=body)
        assert [item["pointer"] for item in answer.json()["errors"]] == ["#/lines/0/quantity"]
        answer = await client.get("/api/v1/products?limit=101")
        assert answer.json()["errors"][0]["pointer"] == "query/limit"

    run(shop, scenario)


def test_what_is_said_about_a_wrong_body_stays_small(shop: Settings) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        headers = {"Content-Type": "application/json"}
        for body in (
            b'{"' + b"k" * 60_000 + b'": 0}',
            b"{" + b",".join(b'"%d": 0' % number for number in range(5_000)) + b"}",
            b'{"\\ud800": 0}',
        ):
            answer = await client.post("/api/v2/orders", content=body, headers=headers)
            assert answer.status_code in {400, 422}
            assert len(answer.content) < 8_000

    run(shop, scenario)


def test_an_idempotency_key_has_bounds(shop: Settings) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        body = {"account_id": "acct-0001", "lines": [{"product_id": 1, "quantity": 1}]}
        for key in ("k" * 65, "two words"):
            answer = await client.post("/api/v1/orders", json=body, headers={"Idempotency-Key": key})
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == "header/idempotency-key"

    run(shop, scenario)


def test_an_unforeseen_exception_has_an_id_a_name_and_a_count(shop: Settings) -> None:
    async def scenario(client: httpx.AsyncClient, resources: Resources) -> None:
        async with resources.database.engine.begin() as connection:
            await connection.exec_driver_sql("DROP TABLE order_lines")
        answer = await client.get("/api/v1/products/1")
        assert answer.status_code == 200
        body = {"account_id": "acct-0001", "lines": [{"product_id": 1, "quantity": 1}]}
        answer = await client.post("/api/v1/orders", json=body)
        assert answer.status_code in {500, 503}
        assert answer.json()["request_id"] == answer.headers["X-Request-Id"]
        assert answer.headers["X-Served-By"] == "pod-1"
        assert "order_lines" not in answer.text
        labels = {"method": "POST", "route": "/api/v1/orders", "status": str(answer.status_code)}
        assert resources.metrics.registry.get_sample_value("http_requests_total", labels) == 1

    run(shop, scenario)


def test_too_many_checks_are_refused_with_a_time_to_return(
    shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, go_on = threading.Event(), threading.Event()

    def slow(history: Sequence[PlacedOrder], order: PlacedOrder, weight: float) -> FraudAssessment:
        began.set()
        assert go_on.wait(60)
        return assess(history, order, weight)

    monkeypatch.setattr(fraud_pool, "assess", slow)

    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        body = {"account_id": "acct-0001", "lines": [{"product_id": 1, "quantity": 1}]}
        first = asyncio.create_task(client.post("/api/v1/orders", json=body))
        assert await asyncio.to_thread(began.wait, 60)
        refused = await client.post("/api/v1/orders", json=body)
        go_on.set()
        assert refused.status_code == 503
        assert refused.json()["type"] == "urn:tidegate:problem:overloaded"
        assert refused.headers["Retry-After"] == "1"
        assert (await first).status_code == 201

    run(shop.model_copy(update={"fraud_queue_limit": 1}), scenario)


def test_the_inline_worker_decides_without_a_queue(shop: Settings) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        body = {"account_id": "acct-0001", "lines": [{"product_id": 1, "quantity": 1}]}
        location = (await client.post("/api/v2/orders", json=body)).headers["Location"]
        for _attempt in range(3000):
            if (await client.get(location)).json()["status"] != "pending":
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("the order was not decided")
        assert "tidegate_queue_depth" in (await client.get("/metrics")).text

    run(shop, scenario, inline=True)


def test_nothing_connects_before_the_first_request() -> None:
    settings = load_settings(database_url="postgresql+asyncpg://who:word@127.0.0.1:1/none")

    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/startupz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503

    run(settings, scenario)


@pytest.mark.parametrize("publish", [True, False])
def test_web_pods_tell_of_the_queue_only_where_workers_may_be_none(shop: Settings, publish: bool) -> None:
    async def scenario(client: httpx.AsyncClient, resources: Resources) -> None:
        async with asyncio.timeout(30):
            registry = resources.metrics.registry
            while publish and registry.get_sample_value("tidegate_queue_depth") is None:  # noqa: ASYNC110
                await asyncio.sleep(0.001)  # requests here never wait; the task that looks needs its turn
        assert ("tidegate_queue_depth" in (await client.get("/metrics")).text) is publish

    run(shop.model_copy(update={"publish_queue": publish}), scenario)
