"""Tells every process what has changed, by tag: caches drop it, streams look again."""

# redis-py leaves its keywords untyped:
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, cast

import orjson

from app.core.logging import get_logger
from app.shared.link import RedisLink, SharedUnavailableError

if TYPE_CHECKING:
    from redis.asyncio import Redis

CHANNEL = "tidegate:changes"
_LISTEN_S = 5.0
_PAUSE_S = 1.0
_MOST_OWED = 10_000

_log = get_logger(__name__)

Listener = Callable[[Collection[str]], None]


GENERATION_LIFE_S = 3600
"""Longer than any cached value lives, so no value outlasts the memory of the change that voids it."""


def generation_key(tag: str) -> str:
    """Where Redis keeps how often what carries the tag has changed."""
    return f"tidegate:generation:{tag}"


def product_tag(product_id: int) -> str:
    """The tag of one product."""
    return f"product:{product_id}"


PRODUCTS = "products"
"""The tag of every listing of products."""


def order_tag(order_id: uuid.UUID) -> str:
    """The tag of one order."""
    return f"order:{order_id}"


class Changes:
    """Publishes and hears tags over Redis.

    Messages are not kept: a process that was not connected has missed some. It is told so (`on_gap`), and
    whoever relies on messages bounds the age of what it holds besides.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._name = uuid.uuid4().hex
        self._listeners: list[Listener] = []
        self._gap_listeners: list[Callable[[], None]] = []
        self._owed: set[str] = set()
        self.connected = False
        """Whether messages of other processes arrive now."""

    def listen(self, listener: Listener) -> None:
        """Call `listener` with the tags of every change, this process's own included."""
        self._listeners.append(listener)

    def on_gap(self, listener: Callable[[], None]) -> None:
        """Call `listener` when messages may have been missed."""
        self._gap_listeners.append(listener)

    async def announce(self, *tags: str) -> None:
        """Say that what carries these tags is not what it was. Call it after the commit.

        Here it takes effect at once. Elsewhere it is tried once now, and again when Redis is back; until
        then the others find out when what they hold expires.
        """
        self._deliver(tags)
        if self._link.configured:
            self._owed.update(tags)
            await self._tell()

    async def _tell(self) -> None:
        """Raise the generations and tell the others, in one step."""
        tags = list(self._owed)
        message = orjson.dumps({"from": self._name, "tags": tags})

        async def send(client: Redis) -> None:
            async with client.pipeline(transaction=True) as pipe:
                for tag in tags:
                    pipe.incr(generation_key(tag))
                    pipe.expire(generation_key(tag), GENERATION_LIFE_S)
                pipe.publish(CHANNEL, message)
                await pipe.execute()

        try:
            await self._link.call(send, name="redis announce")
        except SharedUnavailableError:
            # Twice told does no harm, so what may have arrived stays owed too. The bound is for an outage
            # of days: what expires by itself meanwhile need not be told.
            if len(self._owed) > _MOST_OWED:
                self._owed.clear()
            return
        self._owed.difference_update(tags)

    async def run(self) -> None:
        """Hear the others until cancelled; does nothing without Redis."""
        if not self._link.configured:
            return
        while True:
            try:
                await self._hear()
            except SharedUnavailableError:
                pass
            except Exception as error:  # noqa: BLE001 - the one task that hears must not end
                self._link.failed(error)
            finally:
                self.connected = False
            await asyncio.sleep(_PAUSE_S)

    async def _hear(self) -> None:
        client = await self._link.client()
        async with client.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(CHANNEL)
            self.connected = True
            for listener in self._gap_listeners:
                listener()
            if self._owed:
                await self._tell()
            while True:
                message = cast(
                    "dict[str, Any] | None",
                    # Its timeout replaces the socket's; a peer that vanished is found by the ping.
                    await subscription.get_message(timeout=_LISTEN_S),
                )
                if message is None:
                    await subscription.ping()
                elif message["type"] == "message":
                    self._take(message["data"])

    def _take(self, data: bytes) -> None:
        try:
            message = orjson.loads(data)
            sender, tags = message["from"], [str(tag) for tag in message["tags"]]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            _log.warning("change_not_understood")
            return
        if sender != self._name:
            self._deliver(tags)

    def _deliver(self, tags: Collection[str]) -> None:
        for listener in self._listeners:
            listener(tags)
