"""Following an order until it is decided."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Collection

from app.core.exceptions import NotFoundError, OverloadedError
from app.core.lifecycle import Lifecycle
from app.core.metrics import Metrics
from app.db.engine import Database
from app.db.models import Order, OrderStatus
from app.repositories.orders import OrderRepository
from app.shared.changes import Changes, order_tag

MAX_WATCHES = 2000
"""Streams one process holds: some 20 KiB each, so they never take a pod's memory."""
MAX_WATCH_S = 300.0
"""A stream's longest life: the load moves to newer pods in the end, and a forgotten client lets go."""
QUIET_S = 15.0
"""Pause after which a stream shows that it lives; below the minute for which proxies wait."""
_POLL_S = 2.0
"""Pause between looks while changes are not heard of."""


class OrderUpdates:
    """All the streams of the process. They hold no database connection while they wait."""

    def __init__(self, database: Database, changes: Changes, lifecycle: Lifecycle, metrics: Metrics) -> None:
        self._metrics = metrics
        self._database = database
        self._changes = changes
        self._lifecycle = lifecycle
        self._watches: dict[str, set[Watch]] = {}
        self.count = 0
        """Streams open now."""
        changes.listen(self._look_again)
        changes.on_gap(self._look_all)
        lifecycle.on_drain(self._look_all)

    async def watch(self, order_id: uuid.UUID, account_id: str) -> Watch:
        """Begin to follow the account's order; leave the watch by `async with`.

        Raises:
            NotFoundError: the account has no such order.
            OverloadedError: too many are followed already, or the process is about to end.
        """
        if self.count >= MAX_WATCHES or self._lifecycle.draining:
            raise OverloadedError("no more streams can be held here now", retry_after_s=1)
        order = await self.load(order_id)
        if order is None or order.account_id != account_id:
            raise NotFoundError(f"there is no order {order_id}")
        return Watch(self, order, self._lifecycle)

    async def load(self, order_id: uuid.UUID) -> Order | None:
        """The order as it is now."""
        async with self._database.session() as session:
            return await OrderRepository(session).get(order_id)

    @property
    def pause_s(self) -> float:
        """How long a stream waits for news before it looks by itself."""
        return QUIET_S if self._changes.connected else _POLL_S

    def enter(self, watch: Watch) -> None:
        """Have the watch told of changes."""
        self._watches.setdefault(watch.tag, set()).add(watch)
        self.count += 1
        self._metrics.streams.inc()

    def leave(self, watch: Watch) -> None:
        """Tell it no more."""
        self.count -= 1
        self._metrics.streams.dec()
        rest = self._watches[watch.tag]
        rest.discard(watch)
        if not rest:
            del self._watches[watch.tag]

    def _look_again(self, tags: Collection[str]) -> None:
        for tag in tags:
            for watch in self._watches.get(tag, ()):
                watch.nudge()

    def _look_all(self) -> None:
        for watches in self._watches.values():
            for watch in watches:
                watch.nudge()


class Watch:
    """One stream's view of one order."""

    def __init__(self, updates: OrderUpdates, order: Order, lifecycle: Lifecycle) -> None:
        self.tag = order_tag(order.id)
        self.order = order
        """As last seen."""
        self._updates = updates
        self._lifecycle = lifecycle
        self._nudged = asyncio.Event()
        self._ended = False

    @property
    def decided(self) -> bool:
        """Whether the order has come to its end, and the stream with it."""
        return self.order.status != OrderStatus.PENDING

    def nudge(self) -> None:
        """There may be something new."""
        self._nudged.set()

    def end(self) -> None:
        """Nobody follows any more."""
        self._ended = True
        self.nudge()

    async def __aenter__(self) -> Watch:
        self._updates.enter(self)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._updates.leave(self)

    async def states(self) -> AsyncIterator[Order | None]:
        """The order now and after each change; None when there was nothing to say for a while.

        Ends with the decision, or without it: when the process drains, after `MAX_WATCH_S`, or when the
        follower is gone. Then the follower should come again, and will reach another process.
        """
        ends_s = time.monotonic() + MAX_WATCH_S
        spoken_s = time.monotonic()
        yield self.order
        while not (self.decided or self._ended or self._lifecycle.draining or time.monotonic() > ends_s):
            try:
                async with asyncio.timeout(self._updates.pause_s):
                    await self._nudged.wait()
            except TimeoutError:
                pass
            self._nudged.clear()
            found = await self._updates.load(self.order.id)
            if found is None:
                return
            changed, self.order = found.status != self.order.status, found
            if changed or time.monotonic() - spoken_s >= QUIET_S:
                spoken_s = time.monotonic()
                yield found if changed else None
