from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import pytest
from support.login import DEMO_PASSWORD, bearer

from app.core.settings import Settings
from app.resources import Resources

if TYPE_CHECKING:
    from tests.unit.app.api.conftest import Run

ORDER = {"lines": [{"product_id": 1, "quantity": 1}]}


@pytest.fixture
def shop(shop: Settings) -> Settings:
    rates = {"limit_reads": "6/hour", "limit_writes": "3/hour", "limit_logins": "2/hour"}
    return shop.model_copy(update={**rates, "trusted_proxies": "127.0.0.0/8"})


def test_an_account_that_writes_too_much_is_told_when_to_come_back(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        answers = [await client.post("/api/v2/orders", json=ORDER) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [202, 202, 202, 429]
        assert [answer.headers["RateLimit"].split(";")[1] for answer in answers] == [
            "r=2",
            "r=1",
            "r=0",
            "r=0",
        ]
        refused = answers[-1]
        assert refused.headers["RateLimit-Policy"] == '"writes";q=3;w=3600'
        assert 0 < int(refused.headers["Retry-After"]) <= 3600
        assert refused.json()["type"] == "urn:tidegate:problem:rate-limited"
        # Another account, though from the same address, and the same account's reads, go on.
        assert (await client.post("/api/v1/orders", json=ORDER, headers=bearer(2))).status_code == 201
        assert (await client.get("/api/v2/orders")).status_code == 200

    run(scenario)


def test_refusals_and_bad_requests_cost_budget_too(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        for _attempt in range(3):
            assert (await client.post("/api/v2/orders", json={})).status_code == 422
        assert (await client.post("/api/v2/orders", json=ORDER)).status_code == 429

    run(scenario)


def test_who_has_no_token_is_counted_by_address(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        def anonymous(address: str) -> dict[str, str]:
            return {"Authorization": "", "X-Forwarded-For": f"192.0.2.250, {address}"}

        for number in range(1, 8):
            answer = await client.get(f"/api/v2/products/{number}", headers=anonymous("198.51.100.1"))
            assert answer.status_code == (200 if number < 7 else 429)
            assert answer.headers["RateLimit-Policy"] == '"reads";q=6;w=3600'
        other = await client.get("/api/v2/products/1", headers=anonymous("198.51.100.2"))
        assert other.status_code == 200
        # A token that does not hold buys no budget of its own.
        bad = anonymous("198.51.100.1") | {"Authorization": "Bearer nonsense"}
        assert (await client.get("/api/v2/products/1", headers=bad)).status_code == 429

    run(scenario)


def test_guesses_at_one_account_are_counted_wherever_they_come_from(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        async def guess(number: int, password: str, user: str = "acct-0009") -> int:
            form = {"grant_type": "password", "username": user, "password": password}
            headers = {"Authorization": "", "X-Forwarded-For": f"198.51.100.{number}"}
            return (await client.post("/api/v2/auth/token", data=form, headers=headers)).status_code

        assert [await guess(number, "wrong") for number in (1, 2)] == [400, 400]
        assert await guess(3, DEMO_PASSWORD) == 429
        assert await guess(3, DEMO_PASSWORD, "acct-0010") == 200

    run(scenario)


def test_probes_are_not_limited(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        for path in ("/startupz", "/healthz", "/readyz", "/metrics") * 8:
            answer = await client.get(path, headers={"Authorization": ""})
            assert answer.status_code == 200
            assert "RateLimit-Policy" not in answer.headers

    run(scenario)


def test_a_limit_switched_off_limits_nobody(shop: Settings, run: Run) -> None:
    object.__setattr__(shop, "rate_limits", False)

    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        answers = [await client.get("/api/v2/products/1") for _ in range(10)]
        assert {answer.status_code for answer in answers} == {200}

    run(scenario)
