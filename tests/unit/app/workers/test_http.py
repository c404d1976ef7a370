from __future__ import annotations

import asyncio

import httpx

from app.core.metrics import Metrics
from app.workers.http import worker_app


def test_an_ailment_fails_the_liveness_probe() -> None:
    async def scenario() -> None:
        ailment: list[str] = []
        app = worker_app(Metrics(), lambda: ailment[0] if ailment else None)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            assert (await client.get("/healthz")).json() == {"status": "alive"}
            ailment.append("a worker thread has died")
            answer = await client.get("/healthz")
            assert answer.status_code == 503
            assert answer.json()["detail"] == "a worker thread has died"
            assert "tidegate_orders" in (await client.get("/metrics")).text

    asyncio.run(scenario())
