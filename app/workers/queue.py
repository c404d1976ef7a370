"""Dramatiq on Redis: how an order's id gets from the relay to a worker thread."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import dramatiq
import redis
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import CurrentMessage
from redis.backoff import NoBackoff
from redis.retry import Retry

from app.core.exceptions import DispatchUnavailableError
from app.core.trace_context import TraceParent
from app.repositories.outbox import Due
from app.workers.attempts import MESSAGING

if TYPE_CHECKING:
    from app.telemetry.tracing import Tracing

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
    """The broker. No middleware of it tries again: the outbox does, see `app.workers.attempts`."""
    return RedisBroker(
        client=client,
        namespace=NAMESPACE,
        middleware=[CurrentMessage()],
        heartbeat_timeout=_HEARTBEAT_TIMEOUT_MS,
    )


def make_actor(broker: RedisBroker, decide: Callable[[uuid.UUID], None]) -> dramatiq.Actor[[str], None]:
    """The one job there is. A message whose job fails is gone; the outbox still owes the decision."""

    @dramatiq.actor(broker=broker, queue_name=QUEUE)
    def decide_order(order_id: str) -> None:
        decide(uuid.UUID(order_id))

    return decide_order


def message_parent() -> TraceParent | None:
    """The trace that the message in hand belongs to; call it in dramatiq's thread."""
    message = CurrentMessage.get_current_message()
    return None if message is None else TraceParent.parse(message.options.get("traceparent"))


class RedisDispatcher:
    """Publishes orders as messages.

    Args:
        tracing: makes a span of each message; None where tracing is off.
    """

    def __init__(
        self, client: redis.Redis, actor: dramatiq.Actor[[str], None], tracing: Tracing | None = None
    ) -> None:
        self._tracing = tracing
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

    async def publish(self, entries: Sequence[Due]) -> None:
        """Enqueue one message an order.

        Raises:
            DispatchUnavailableError: Redis stopped answering on the way.
        """
        await asyncio.to_thread(self._publish, entries)

    def _publish(self, entries: Sequence[Due]) -> None:
        try:
            for entry in entries:
                self._send(entry)
        except redis.RedisError as error:
            raise DispatchUnavailableError(f"Redis did not take a message: {error}") from error

    def _send(self, entry: Due) -> None:
        order_id = str(entry.order_id)
        if self._tracing is None:
            self._actor.send(order_id)
            return
        attributes = {**MESSAGING, "messaging.operation.type": "send", "tidegate.order_id": order_id}
        parent = TraceParent.parse(entry.traceparent)
        with self._tracing.continued("publish orders", "producer", parent, attributes) as span:
            # Among the options and not the arguments: a worker of an older release would choke on those.
            send = self._actor.send_with_options  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - untyped options
            send(args=(order_id,), traceparent=str(span.parent))
