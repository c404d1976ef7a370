from __future__ import annotations

import asyncio
import concurrent.futures
import json
import uuid
from collections.abc import Callable

import httpx
import pytest
from support.children import wait_until
from support.login import bearer
from support.service_process import ServiceProcess

from app.core.settings import Settings
from app.main import create_app
from app.resources import Resources

pytestmark = pytest.mark.integration

ORDER = {
    "account_id": "acct-0001",
    "lines": [{"product_id": 1, "quantity": 2}, {"product_id": 7, "quantity": 1}],
}


@pytest.fixture
def web(shared_web: httpx.Client) -> httpx.Client:
    """The first account's client."""
    shared_web.headers.update(bearer(1))
    return shared_web


def test_pages_lead_through_the_whole_catalogue_once(web: httpx.Client) -> None:
    seen: list[int] = []
    cursor: str | None = None
    while True:
        page = web.get(
            "/api/v1/products", params={"limit": 77} | ({"cursor": cursor} if cursor else {})
        ).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == list(range(1, 201))


def test_a_v1_order_is_decided_priced_and_kept(web: httpx.Client) -> None:
    prices = {number: web.get(f"/api/v1/products/{number}").json()["price_cents"] for number in (1, 7)}
    answer = web.post("/api/v1/orders", json=ORDER)
    assert answer.status_code == 201
    order = answer.json()
    assert order["status"] in {"accepted", "rejected"}
    assert order["amount_cents"] == 2 * prices[1] + prices[7]
    assert order["decided_at"] is not None
    assert web.get(answer.headers["Location"]).json() == order


def test_an_outrageous_order_is_rejected(web: httpx.Client) -> None:
    lines = [{"product_id": number, "quantity": 100} for number in range(1, 21)]
    answer = web.post("/api/v1/orders", json={"lines": lines})
    assert answer.json()["status"] == "rejected"
    decided = web.get(answer.headers["Location"].replace("v1", "v2")).json()
    assert decided["fraud"]["score"] >= 0.5
    assert "amount_unusual" in decided["fraud"]["reasons"]


def test_a_v2_order_waits_for_its_worker(web: httpx.Client) -> None:
    answer = web.post("/api/v2/orders", json=ORDER)
    assert answer.status_code == 202
    order = answer.json()
    assert (order["status"], order["fraud"], order["decided_at"]) == ("pending", None, None)
    assert answer.headers["Location"] == f"/api/v2/orders/{order['id']}"
    assert web.get(answer.headers["Location"]).json() == order


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_repeated_key_takes_effect_once_even_at_once(web: httpx.Client, version: str) -> None:
    headers = {"Idempotency-Key": str(uuid.uuid4())}

    def place() -> httpx.Response:
        return web.post(f"/api/{version}/orders", json=ORDER, headers=headers)

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        answers = [future.result() for future in [threads.submit(place) for _ in range(16)]]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert {answer.status_code for answer in answers} == {201 if version == "v1" else 202}
    other = ORDER | {"lines": [{"product_id": 1, "quantity": 3}]}
    conflict = web.post(f"/api/{version}/orders", json=other, headers=headers)
    assert conflict.status_code == 409
    assert conflict.json()["type"] == "urn:tidegate:problem:idempotency-conflict"


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "problem"),
    [
        ("GET", "/api/v1/products/999", None, 404, "urn:tidegate:problem:not-found"),
        ("GET", f"/api/v1/orders/{uuid.UUID(int=1)}", None, 404, "urn:tidegate:problem:not-found"),
        ("GET", f"/api/v2/orders/{uuid.UUID(int=1)}", None, 404, "urn:tidegate:problem:not-found"),
        ("GET", "/api/v1/products?cursor=nonsense", None, 400, "urn:tidegate:problem:invalid-cursor"),
        ("GET", "/api/v1/products?limit=0", None, 422, "urn:tidegate:problem:validation"),
        ("POST", "/api/v1/orders", {}, 422, "urn:tidegate:problem:validation"),
        (
            "POST",
            "/api/v1/orders",
            ORDER | {"account_id": "acct-0002"},
            403,
            "urn:tidegate:problem:foreign-account",
        ),
        (
            "POST",
            "/api/v2/orders",
            ORDER | {"lines": [{"product_id": 9000, "quantity": 1}]},
            422,
            "urn:tidegate:problem:unknown-reference",
        ),
        ("GET", "/api/v3/orders", None, 404, "about:blank"),
        ("DELETE", "/api/v1/orders", None, 405, "about:blank"),
    ],
)
def test_every_failure_is_a_problem(
    web: httpx.Client, method: str, path: str, body: object, status: int, problem: str
) -> None:
    answer = web.request(method, path, json=body, headers={"X-Request-Id": "mine-1"})
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert (told["type"], told["status"], told["request_id"]) == (problem, status, "mine-1")
    assert told["instance"] == path.partition("?")[0]


def test_every_answer_names_its_pod_and_its_request(web: httpx.Client) -> None:
    for path in ("/api/v1/products", "/nowhere", "/healthz", "/readyz", "/metrics"):
        headers = web.get(path).headers
        assert headers["X-Served-By"] == "pod-1"
        assert len(headers["X-Request-Id"]) == 32


def test_a_body_too_large_is_refused_declared_or_not(web: httpx.Client) -> None:
    large = b'{"account_id": "' + b"a" * 100_000 + b'"}'
    headers = {"Content-Type": "application/json"}
    declared = web.post("/api/v1/orders", content=large, headers=headers)
    chunked = web.post("/api/v1/orders", content=iter([large]), headers=headers)
    assert (declared.status_code, chunked.status_code) == (413, 413)
    assert declared.json()["title"] == chunked.json()["title"] == "Content Too Large"
    assert web.get("/api/v1/products").status_code == 200


def test_metrics_count_by_route_template(
    migrated_url: str, start_service: Callable[..., ServiceProcess]
) -> None:
    with start_service("app", DATABASE_URL=migrated_url).wait_ready() as web:
        web.headers.update(bearer(1))
        _count_by_route_template(web)


def _count_by_route_template(web: httpx.Client) -> None:
    for number in range(1, 6):
        web.get(f"/api/v1/products/{number}")
    web.get("/nowhere/at/all")
    status = web.post("/api/v1/orders", json=ORDER).json()["status"]
    web.post("/api/v2/orders", json=ORDER)
    # A request ends a moment after its caller has the answer: its session is given back in between.
    wait_until(lambda: "http_requests_in_progress 0.0" in web.get("/metrics").text, what="rest")
    lines = web.get("/metrics").text.splitlines()
    assert 'http_requests_total{method="GET",route="/api/v1/products/{id}",status="200"} 5.0' in lines
    assert 'http_requests_total{method="GET",route="unmatched",status="404"} 1.0' in lines
    assert 'http_request_duration_seconds_count{method="POST",route="/api/v1/orders"} 1.0' in lines
    assert f'tidegate_orders_total{{status="{status}",version="v1"}} 1.0' in lines
    assert 'tidegate_orders_total{status="pending",version="v2"} 1.0' in lines
    assert any(line.startswith("process_cpu_seconds_total ") for line in lines)
    assert not any("nowhere" in line or "healthz" in line for line in lines)


def test_more_requests_than_connections_all_get_their_answer(web: httpx.Client) -> None:
    def read(number: int) -> int:
        return web.get(f"/api/v1/products/{number % 200 + 1}").status_code

    with concurrent.futures.ThreadPoolExecutor(20) as threads:
        assert set(threads.map(read, range(200))) == {200}


def test_the_document_is_the_same_though_its_models_are_built_when_asked_for(web: httpx.Client) -> None:
    # The process defers FastAPI's models (`app.core.lean`), this one did not.
    resources = Resources.create(Settings(), application="test")
    here = create_app(resources).openapi()
    asyncio.run(resources.close())
    assert web.get("/openapi.json").json() == json.loads(json.dumps(here))
