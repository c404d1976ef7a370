from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from app.resources import Resources

if TYPE_CHECKING:
    from tests.unit.app.api.conftest import Run


def test_without_an_operators_token_their_routes_are_closed_to_everyone(run: Run) -> None:
    async def scenario(client: httpx.AsyncClient, _: Resources) -> None:
        for headers in (
            {"Authorization": ""},
            {"Authorization": "Bearer "},
            {"Authorization": "Bearer None"},
        ):
            answer = await client.patch("/api/v2/products/1", json={"price_cents": 1}, headers=headers)
            assert answer.status_code == 404

    run(scenario)
