"""Moves what is owed from the outbox to the queue, until it is paid."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.core.exceptions import DatabaseUnavailableError, DispatchUnavailableError, OverloadedError
from app.core.logging import get_logger
from app.db.base import utc_now
from app.db.engine import Database
from app.repositories.outbox import Due, OutboxRepository
from app.workers.dispatch import Dispatcher

_log = get_logger(__name__)

BATCH = 100
MAX_DELIVERIES = 12
"""Publications after which an order is set aside as a dead letter. Where each attempt fails that takes some
half an hour (see `Attempts`), where messages get lost about two; the queue's absence does not count."""
MAX_WAIT_S = 900.0
_LONGEST_PAUSE_S = 5.0


class Relay:
    """Publishes due entries; any number of relays may run beside each other.

    An entry is first put off (in a transaction of its own), then published: no transaction stays open
    while the queue is asked, and a relay that dies in between delays the order but never loses it.

    Args:
        poll_s: pause between looks when nothing is due.
        redeliver_after_s: wait before the first repetition; doubles with each.
    """

    def __init__(
        self,
        database: Database,
        dispatcher: Dispatcher,
        *,
        poll_s: float,
        redeliver_after_s: float,
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._poll_s = poll_s
        self._redeliver_after_s = redeliver_after_s
        # Not for secrets: it keeps relays that failed together from trying again together.
        self._random = random.Random()  # noqa: S311
        self.last_turn_s = time.monotonic()
        """When the loop last came round, on the monotonic clock; failing turns count, a hang does not."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. Absent servers are waited for, ever longer, up to 5 s."""
        pause_s = self._poll_s
        while not stop.is_set():
            self.last_turn_s = time.monotonic()
            try:
                moved = await self.turn()
                pause_s = 0.0 if moved >= BATCH else self._poll_s
            except (DatabaseUnavailableError, DispatchUnavailableError, OverloadedError) as error:
                pause_s = min(_LONGEST_PAUSE_S, max(0.2, pause_s * 2)) * self._random.uniform(0.75, 1.0)
                _log.warning("relay_waits", reason=str(error), pause_s=round(pause_s, 2))
            except Exception:  # noqa: BLE001
                # A defect met by one entry must not end the loop for all the others.
                pause_s = _LONGEST_PAUSE_S
                _log.exception("relay_failed")
            try:
                async with asyncio.timeout(pause_s):
                    await stop.wait()
            except TimeoutError:
                continue

    async def turn(self) -> int:
        """Publish at most one batch; how many entries were due.

        Raises:
            DatabaseUnavailableError: nothing was done.
            DispatchUnavailableError: the entries stay due, as if the turn had not been.
        """
        # Asked first: while the queue is away, entries need not be put off and back again.
        if await self._dispatcher.check():
            _log.warning("queue_lost_its_messages")
            async with self._database.session() as session:
                await OutboxRepository(session).schedule_all(due_at=utc_now())
                await session.commit()
        due = await self._claim()
        hopeless = [entry for entry in due if entry.deliveries >= MAX_DELIVERIES]
        if hopeless:
            await self._bury(hopeless)
        published = [entry for entry in due if entry.deliveries < MAX_DELIVERIES]
        if published:
            try:
                await self._dispatcher.publish(published)
            except (DispatchUnavailableError, OverloadedError):
                await self._schedule(published, [utc_now()] * len(published))
                raise
        return len(due)

    async def _claim(self) -> Sequence[Due]:
        """Take due entries and put them off to the time of their next repetition."""
        now = utc_now()
        async with self._database.session() as session:
            outbox = OutboxRepository(session)
            due = await outbox.lock_due(now=now, limit=BATCH)
            if due:
                later = [replace(entry, deliveries=entry.deliveries + 1) for entry in due]
                await outbox.schedule(later, [now + self._wait(entry.deliveries) for entry in due])
                await session.commit()
        return due

    async def _bury(self, entries: Sequence[Due]) -> None:
        for entry in entries:
            _log.error("order_undecidable", order_id=str(entry.order_id), deliveries=entry.deliveries)
        async with self._database.session() as session:
            await OutboxRepository(session).bury([entry.order_id for entry in entries], now=utc_now())
            await session.commit()

    async def _schedule(self, entries: Sequence[Due], due_at: Sequence[datetime]) -> None:
        async with self._database.session() as session:
            await OutboxRepository(session).schedule(entries, due_at)
            await session.commit()

    def _wait(self, deliveries: int) -> timedelta:
        wait_s = min(MAX_WAIT_S, self._redeliver_after_s * 2**deliveries)
        return timedelta(seconds=wait_s * self._random.uniform(0.8, 1.2))
