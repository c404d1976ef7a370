"""Dramatiq on Redis: how an order's id gets from the relay to a worker thread."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.exceptions import DispatchUnavailableError

QUEUE = "orders"
NAMESPACE = "tidegate"

REDIS_TIMEOUT_S = 1.0
_MARK = f"{NAMESPACE}:kept"
_HEARTBEAT_TIMEOUT_MS = 20_000


def connect(redis_url: str) -> redis.Redis:
    """A client that answers or fails within a second; it connects when first used.

    It does not retry by itself: the relay and dramatiq's consumers do, and layers of retries multiply.
    """
    return redis.Redis.from_url(  # pyright: ignore[reportUnknownMemberType] - untyped keywords
        redis_url,
        socket_timeout=REDIS_TIMEOUT_S,
        socket_connect_timeout=REDIS_TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )


def make_broker(client: redis.Redis) -> RedisBroker:
    """The broker, with no middleware: the outbox tries again, see `app.workers.attempts`."""
    return RedisBroker(
        client=client, namespace=NAMESPACE, middleware=[], heartbeat_timeout=_HEARTBEAT_TIMEOUT_MS
    )


def make_actor(broker: RedisBroker, decide: Callable[[uuid.UUID], None]) -> dramatiq.Actor[[str], None]:
    """The one job there is. A message whose job fails is gone; the outbox still owes the decision."""

    @dramatiq.actor(broker=broker, queue_name=QUEUE)
    def decide_order(order_id: str) -> None:
        decide(uuid.UUID(order_id))

    return decide_order


class RedisDispatcher:
    """Publishes orders as messages."""

    def __init__(self, client: redis.Redis, actor: dramatiq.Actor[[str], None]) -> None:
        self._client = client
        self._actor = actor

    async def check(self) -> bool:
        """Whether Redis has come back empty: its mark is gone, so the messages are too.

        Raises:
            DispatchUnavailableError: Redis does not answer.
        """
        try:
            return bool(await asyncio.to_thread(self._client.set, _MARK, "1", nx=True))
        except redis.RedisError as error:
            raise DispatchUnavailableError(f"Redis does not answer: {error}") from error

    async def publish(self, order_ids: Sequence[uuid.UUID]) -> None:
        """Enqueue one message an order.

        Raises:
            DispatchUnavailableError: Redis stopped answering on the way.
        """
        await asyncio.to_thread(self._publish, order_ids)

    def _publish(self, order_ids: Sequence[uuid.UUID]) -> None:
        try:
            for order_id in order_ids:
                self._actor.send(str(order_id))
        except redis.RedisError as error:
            raise DispatchUnavailableError(f"Redis did not take a message: {error}") from error
