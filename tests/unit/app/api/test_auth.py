from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import httpx
import pytest
from support.login import DEMO_PASSWORD, bearer

from app.resources import Resources

if TYPE_CHECKING:
    from tests.unit.app.api.conftest import Run

ORDER = {"lines": [{"product_id": 1, "quantity": 1}]}
ANONYMOUS = {"Authorization": ""}


def form(**changes: str) -> dict[str, str]:
    return {"grant_type": "password", "username": "acct-0002", "password": DEMO_PASSWORD} | changes


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_password_buys_a_token_for_its_account(run: Run, version: str) -> None:
    async def scenario(client: httpx.AsyncClient, resources: Resources) -> None:
        answer = await client.post(f"/api/{version}/auth/token", data=form(scope="", client_id="web"))
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        told = answer.json()
        assert (told["token_type"], told["expires_in"]) == ("Bearer", 3600)
        assert resources.tokens.account_of(told["access_token"]) == "acct-0002"
        counted = {"method": "POST", "route": f"/api/{version}/auth/token", "status": "200"}
        assert resources.metrics.registry.get_sample_value("http_requests_total", counted) == 1

    run(scenario)


@pytest.mark.parametrize(
    ("changes", "status", "problem"),
    [
        ({"password": "wrong"}, 400, "invalid-grant"),
        ({"username": "acct-9999"}, 400, "invalid-grant"),
        ({"grant_type": "client_credentials"}, 422, "validation"),
        ({"username": "a b"}, 422, "validation"),
        ({"password": "x" * 129}, 422, "validation"),
    ],
)
def test_what_buys_no_token(run: Run, changes: dict[str, str], status: int, problem: str) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        answer = await client.post("/api/v2/auth/token", data=form(**changes))
        assert answer.status_code == status
        told = answer.json()
        assert told["type"] == f"urn:tidegate:problem:{problem}"
        assert told.get("error") == ("invalid_grant" if status == 400 else None)
        assert "password" not in str(told.get("errors", "")) or "x" * 20 not in answer.text

    run(scenario)


def test_wrong_name_and_wrong_password_are_told_in_the_same_words(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        answers = [
            (await client.post("/api/v2/auth/token", data=form(**changes))).json()
            for changes in ({"password": "wrong"}, {"username": "acct-9999"})
        ]
        for answer in answers:
            del answer["request_id"]
        assert answers[0] == answers[1]

    run(scenario)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/orders"),
        ("POST", "/api/v2/orders"),
        ("GET", "/api/v2/orders"),
        ("GET", f"/api/v1/orders/{uuid.UUID(int=1)}"),
        ("GET", f"/api/v2/orders/{uuid.UUID(int=1)}"),
        ("GET", f"/api/v2/streams/orders/{uuid.UUID(int=1)}"),
    ],
)
def test_orders_need_a_token(run: Run, method: str, path: str) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        body = ORDER if method == "POST" else None
        answer = await client.request(method, path, json=body, headers=ANONYMOUS)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
        wrong = {"Authorization": bearer(1)["Authorization"] + "x"}
        answer = await client.request(method, path, json=body, headers=wrong)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
        assert answer.json()["type"] == "urn:tidegate:problem:unauthenticated"

    run(scenario)


def test_products_need_none(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        for path in ("/api/v1/products", "/api/v2/products", "/api/v1/products/1", "/api/v2/products/1"):
            assert (await client.get(path, headers=ANONYMOUS)).status_code == 200

    run(scenario)


def test_an_account_sees_and_fills_its_own_orders_only(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        placed = [
            await client.post("/api/v1/orders", json=ORDER),
            await client.post("/api/v2/orders", json=ORDER | {"account_id": "acct-0001"}),
        ]
        for answer in placed:
            assert answer.json()["account_id"] == "acct-0001"
            for version in ("v1", "v2"):
                path = f"/api/{version}/orders/{answer.json()['id']}"
                assert (await client.get(path)).status_code == 200
                theirs = await client.get(path, headers=bearer(2))
                nobodys = await client.get(f"/api/{version}/orders/{uuid.UUID(int=1)}", headers=bearer(2))
                # The same answer as for an order that does not exist, but for what the caller said itself.
                assert theirs.status_code == nobodys.status_code == 404
                assert theirs.json()["type"] == nobodys.json()["type"]
        for version in ("v1", "v2"):
            body = ORDER | {"account_id": "acct-0002"}
            answer = await client.post(f"/api/{version}/orders", json=body)
            assert answer.status_code == 403
            assert answer.json()["type"] == "urn:tidegate:problem:foreign-account"
        theirs = await client.get("/api/v2/orders?limit=100", headers=bearer(2))
        assert {item["account_id"] for item in theirs.json()["items"]} == {"acct-0002"}

    run(scenario)


def test_one_accounts_idempotency_key_means_nothing_to_another(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        key = {"Idempotency-Key": "same"}
        first = await client.post("/api/v2/orders", json=ORDER, headers=key)
        second = await client.post("/api/v2/orders", json=ORDER, headers=key | bearer(2))
        assert first.json()["id"] != second.json()["id"]

    run(scenario)
