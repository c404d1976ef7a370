"""What processes share through a real Redis, and how they do without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from support.children import wait_until
from support.login import KEYS
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

from app.cache.shared import SharedLayer
from app.shared.changes import Changes
from app.shared.link import RedisLink, SharedUnavailableError

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]
OPERATOR = "an-operators-token-for-tests-only"


def _price(web: httpx.Client, path: str = "/api/v2/products/1") -> int:
    answer = web.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()["price_cents"]


def _set_price(web: httpx.Client, cents: int) -> None:
    headers = {"Authorization": f"Bearer {OPERATOR}"}
    assert web.patch("/api/v2/products/1", json={"price_cents": cents}, headers=headers).is_success


def _lookups(web: httpx.Client, layer: str, result: str) -> float:
    name = f'tidegate_cache_lookups_total{{layer="{layer}",result="{result}"}} '
    found = [line for line in web.get("/metrics").text.splitlines() if line.startswith(name)]
    return float(found[0].split()[-1]) if found else 0.0


def _settings(url: str, redis: RedisServer) -> dict[str, str]:
    # So long a life that whatever changes in a test was told, and did not expire.
    return {
        "DATABASE_URL": url,
        "REDIS_URL": redis.url,
        "OPERATOR_TOKEN": OPERATOR,
        "AUTH_KEYS": KEYS,
        "CACHE_TTL_S": "3600",
        "CACHE_SHARED_TTL_S": "3000",
        # Prices are closed without Redis; what is tested here is what becomes of them elsewhere.
        "RATE_LIMITS": "false",
        # A slow machine is not an absent Redis.
        "REDIS_TIMEOUT_S": "60",
    }


def test_a_change_in_one_pod_reaches_every_layer_of_every_other(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = _settings(migrated_url, redis_server)
    with (
        start_service("app", **settings).wait_ready() as one,
        start_service("app", **settings).wait_ready() as two,
    ):
        for cents in (1111, 2222, 3333):
            _set_price(one, cents)
            assert _price(one) == cents
            wait_until(lambda: _price(two) == cents, what="the new price")  # noqa: B023
        wait_until(lambda: _price(one) == _price(two) == 3333, what="the last price in both")


def test_redis_away_is_slower_and_not_broken(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = _settings(migrated_url, redis_server)
    with (
        start_service("app", **settings).wait_ready() as one,
        start_service("app", **settings).wait_ready() as two,
    ):
        _set_price(one, 1111)
        wait_until(lambda: _price(two) == 1111, what="the new price")
        redis_server.kill()
        for number in range(1, 101):
            assert one.get(f"/api/v2/products/{number}").status_code == 200
        assert _lookups(one, "redis", "away") > 0
        _set_price(one, 2222)
        assert _price(one) == 2222
        redis_server.start()
        # What could not be told is told when Redis is back; until then the other pod was let be.
        wait_until(lambda: _price(two) == 2222, what="the price that was owed")


@asynccontextmanager
async def _shared(url: str) -> AsyncGenerator[tuple[SharedLayer, Changes]]:
    link = RedisLink(url)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(link.close)
        yield SharedLayer(link, ttl_s=60), Changes(link)


def test_a_value_loaded_before_a_change_is_void_whenever_it_arrives(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        async with _shared(redis_server.url) as (shared, changes):
            before = await shared.get("k", ["a", "b"])
            assert before.payload is None
            await changes.announce("b")
            await shared.put("k", b"old", before.generations)
            late = await shared.get("k", ["a", "b"])
            assert late.payload is None
            await shared.put("k", b"new\nwith\nlines", late.generations)
            assert (await shared.get("k", ["a", "b"])).payload == b"new\nwith\nlines"
            await changes.announce("c")
            assert (await shared.get("k", ["a", "b"])).payload is not None

    asyncio.run(scenario())


def test_a_dead_redis_is_asked_once_and_then_left_alone_for_a_while(redis_server: RedisServer) -> None:
    async def scenario() -> None:
        link = RedisLink(redis_server.url)
        assert await link.call(lambda client: client.set("k", "v"))
        redis_server.kill()
        asked = 0

        async def ask() -> None:
            async def operation(client: object) -> object:
                nonlocal asked
                asked += 1
                return await client.get("k")  # type: ignore[attr-defined]

            with pytest.raises(SharedUnavailableError):
                await link.call(operation)

        for _ in range(50):
            await ask()
        assert asked == 1
        assert not link.open
        await link.close()

    asyncio.run(scenario())
