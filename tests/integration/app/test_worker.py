"""Version 2 orders, from the accepting web process to the deciding worker, and what gets in their way."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import redis
from sqlalchemy import func, select, update
from support.children import wait_until
from support.login import bearer
from support.redis_server import RedisServer
from support.service_process import ServiceProcess

from app.db.engine import Database
from app.db.models import OutboxEntry
from app.workers.queue import connect, make_actor, make_broker
from app.workers.relay import MAX_DELIVERIES

pytestmark = pytest.mark.integration

StartService = Callable[..., ServiceProcess]

_BUYERS: dict[str, int] = {}
"""Number of the account that placed each order: nobody else may read it."""


def _place(web: httpx.Client, number: int = 1) -> str:
    body = {"account_id": f"acct-{number:04d}", "lines": [{"product_id": number, "quantity": 1}]}
    answer = web.post("/api/v2/orders", json=body, headers=bearer(number))
    assert answer.status_code == 202, answer.text
    _BUYERS[answer.headers["Location"]] = number
    return answer.headers["Location"]


def _order(web: httpx.Client, location: str) -> dict[str, Any]:
    return web.get(location, headers=bearer(_BUYERS[location])).json()


def _status(web: httpx.Client, location: str) -> str:
    return _order(web, location)["status"]


def _wait_decided(web: httpx.Client, locations: list[str], *, within_s: float = 300) -> None:
    open_ones = set(locations)

    def look() -> bool:
        open_ones.difference_update([at for at in open_ones if _status(web, at) != "pending"])
        return not open_ones

    wait_until(look, what="the decision", within_s=within_s)


def _sample(client: httpx.Client, name: str) -> float | None:
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(f"{name} "):
            return float(line.split()[1])
    return None


def _orders_decided(client: httpx.Client) -> float:
    text = client.get("/metrics").text.splitlines()
    rows = [line for line in text if line.startswith("tidegate_orders_total{")]
    return sum(float(line.split()[1]) for line in rows if 'version="v2"' in line and "pending" not in line)


def _in_hand(client: redis.Redis) -> bool:
    """Whether a worker has fetched messages and not acknowledged them."""
    return bool(client.keys("tidegate:__acks__.*.orders"))  # pyright: ignore[reportUnknownMemberType]


def _settings(url: str, redis: RedisServer) -> dict[str, str]:
    return {"DATABASE_URL": url, "REDIS_URL": redis.url, "REDELIVER_AFTER_S": "2"}


async def _outbox_size(url: str) -> int:
    database = Database(url, pool_size=1, application="test")
    try:
        async with database.session() as session:
            return await session.scalar(select(func.count()).select_from(OutboxEntry)) or 0
    finally:
        await database.dispose()


def test_orders_are_decided_once_each(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = _settings(migrated_url, redis_server)
    worker = start_service("app.worker", **settings)
    with start_service("app", **settings).wait_ready() as web, worker.client() as metrics:
        locations = [_place(web, number) for number in range(1, 31)]
        _wait_decided(web, locations)
        order = _order(web, locations[0])
        assert order["fraud"]["score"] > 0
        assert order["decided_at"] >= order["created_at"]
        # Everything once more, by hand: a decision is never made twice.
        client = connect(redis_server.url)
        actor = make_actor(make_broker(client), lambda _: None)
        for location in locations:
            actor.send(location.rpartition("/")[2])
        wait_until(lambda: client.llen("tidegate:orders") == 0, what="the queue's end")
        client.close()
        assert _orders_decided(metrics) == 30
        assert _order(web, locations[0]) == order
        wait_until(lambda: _sample(metrics, "tidegate_queue_depth") == 0, what="depth 0")
        assert _sample(metrics, "tidegate_queue_age_seconds") == 0
        assert metrics.get("/healthz").json() == {"status": "alive"}
        # The worker measures itself as the web process does.
        wait_until(
            lambda: (_sample(metrics, "tidegate_event_loop_lag_seconds_count") or 0) > 0, what="a measurement"
        )
        assert _sample(metrics, "tidegate_db_pool_size") == 5
        assert (_sample(metrics, "tidegate_db_connection_wait_seconds_count") or 0) > 0
    assert asyncio.run(_outbox_size(migrated_url)) == 0


def test_without_redis_orders_are_taken_and_later_decided(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = _settings(migrated_url, redis_server)
    worker = start_service("app.worker", **settings)
    with start_service("app", **settings).wait_ready() as web, worker.client() as metrics:
        _wait_decided(web, [_place(web)])
        redis_server.kill()
        locations = [_place(web, number) for number in range(1, 11)]
        wait_until(lambda: _sample(metrics, "tidegate_queue_depth") == 10, what="depth 10")
        assert (_sample(metrics, "tidegate_queue_age_seconds") or 0) > 0
        worker.event("relay_waits")
        assert web.get("/readyz").status_code == 200
        assert metrics.get("/healthz").status_code == 200
        assert {_status(web, location) for location in locations} == {"pending"}
        redis_server.start()
        _wait_decided(web, locations)


def test_messages_lost_with_redis_are_published_again(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = _settings(migrated_url, redis_server) | {"REDELIVER_AFTER_S": "600"}
    with start_service("app", **settings).wait_ready() as web:
        # So slow a worker that most messages are still in Redis when it dies.
        worker = start_service("app.worker", **settings, FRAUD_WEIGHT="0.2", WORKER_THREADS="1")
        locations = [_place(web, number) for number in range(1, 7)]
        client = connect(redis_server.url)
        wait_until(lambda: client.llen("tidegate:orders") > 0, what="messages in Redis")
        client.close()
        redis_server.kill()
        worker.event("relay_waits")
        redis_server.start()
        worker.event("queue_lost_its_messages")
        _wait_decided(web, locations, within_s=300)


def test_orders_in_the_hands_of_a_killed_worker_are_decided_by_another(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = _settings(migrated_url, redis_server)
    with start_service("app", **settings).wait_ready() as web:
        first = start_service("app.worker", **settings, FRAUD_WEIGHT="10")
        locations = [_place(web, number) for number in range(1, 4)]
        client = connect(redis_server.url)
        wait_until(lambda: _in_hand(client), what="a message in hand")
        client.close()
        first.signal(signal.SIGKILL)
        first.wait()
        start_service("app.worker", **settings)
        _wait_decided(web, locations)


def test_sigterm_finishes_what_is_in_hand_and_gives_back_the_rest(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = _settings(migrated_url, redis_server) | {"REDELIVER_AFTER_S": "600"}
    with start_service("app", **settings).wait_ready() as web:
        worker = start_service("app.worker", **settings, FRAUD_WEIGHT="0.3", WORKER_THREADS="1")
        locations = [_place(web, number) for number in range(1, 6)]
        with worker.client() as metrics:
            wait_until(lambda: _orders_decided(metrics) >= 1, what="the first decision")
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0
        left = [location for location in locations if _status(web, location) == "pending"]
        assert left, "the worker should not have had the time for all"
        client = connect(redis_server.url)
        assert client.llen("tidegate:orders") == len(left)
        assert not _in_hand(client)
        client.close()
        start_service("app.worker", **settings)
        _wait_decided(web, left)


def test_two_workers_share_the_work(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = _settings(migrated_url, redis_server) | {"FRAUD_WEIGHT": "0.02", "WORKER_THREADS": "1"}
    workers = [start_service("app.worker", **settings) for _ in range(2)]
    with start_service("app", **settings).wait_ready() as web:
        for worker in workers:
            worker.event("serving")
        _wait_decided(web, [_place(web, number) for number in range(1, 41)])
    done: list[float] = []
    for worker in workers:
        with worker.client() as metrics:
            done.append(_orders_decided(metrics))
    assert sum(done) == 40
    assert min(done) > 0


def test_an_undecidable_order_is_set_aside_and_decided_when_it_is_replayed(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    async def exhaust(order_id: uuid.UUID) -> None:
        database = Database(migrated_url, pool_size=1, application="test")
        async with database.session() as session:
            await session.execute(
                update(OutboxEntry).where(OutboxEntry.order_id == order_id).values(deliveries=MAX_DELIVERIES)
            )
            await session.commit()
        await database.dispose()

    settings = _settings(migrated_url, redis_server)
    with start_service("app", **settings).wait_ready() as web:
        location = _place(web)
        asyncio.run(exhaust(uuid.UUID(location.rpartition("/")[2])))
        worker = start_service("app.worker", **settings)
        assert worker.event("order_undecidable")["deliveries"] == MAX_DELIVERIES
        with worker.client() as metrics:
            wait_until(lambda: _sample(metrics, "tidegate_dead_letters") == 1, what="a dead letter")
            assert _sample(metrics, "tidegate_queue_depth") == 0
        assert _status(web, location) == "pending"
        done = subprocess.run(
            [sys.executable, "-m", "app.dead", "replay", "--all"],
            env=os.environ | {"TIDEGATE_DATABASE_URL": migrated_url},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout) == {"replayed": 1}
        _wait_decided(web, [location])
    assert asyncio.run(_outbox_size(migrated_url)) == 0


def test_v2_sheds_when_orders_wait_too_long(
    migrated_url: str, redis_server: RedisServer, start_service: StartService
) -> None:
    settings = _settings(migrated_url, redis_server) | {"QUEUE_AGE_LIMIT_S": "1"}
    with start_service("app", **settings).wait_ready() as web:
        location = _place(web)
        body = {"account_id": "acct-0001", "lines": [{"product_id": 1, "quantity": 1}]}
        refused: list[httpx.Response] = []

        def shed() -> bool:
            refused[:] = [web.post("/api/v2/orders", json=body, headers=bearer(1))]
            return refused[0].status_code != 202

        wait_until(shed, what="shedding")
        assert refused[0].status_code == 503
        assert refused[0].json()["type"] == "urn:tidegate:problem:overloaded"
        assert int(refused[0].headers["Retry-After"]) > 0
        assert _status(web, location) == "pending"
        assert web.get("/readyz").status_code == 200
        start_service("app.worker", **settings)
        _wait_decided(web, [location])
        wait_until(
            lambda: web.post("/api/v2/orders", json=body, headers=bearer(1)).status_code == 202,
            what="an end of shedding",
        )
