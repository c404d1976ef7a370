"""The outbox's queries."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import OutboxEntry

_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class Due:
    """An entry whose time has come."""

    id: int
    order_id: uuid.UUID
    deliveries: int
    """How often it was published before."""
    traceparent: str | None = None
    """The trace of the request that took the order."""


class OutboxRepository:
    """Reads and writes outbox entries."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, order_id: uuid.UUID, *, now: datetime, traceparent: str | None = None) -> None:
        """Owe a decision on the order; due at once."""
        self._session.add(
            OutboxEntry(order_id=order_id, deliveries=0, created_at=now, due_at=now, traceparent=traceparent)
        )

    async def lock_due(self, *, now: datetime, limit: int) -> Sequence[Due]:
        """Entries that are due, oldest first, locked until commit.

        Entries another relay has locked are passed over, so two relays share the work without waiting.
        """
        rows = await self._session.execute(
            select(OutboxEntry.id, OutboxEntry.order_id, OutboxEntry.deliveries, OutboxEntry.traceparent)
            .where(OutboxEntry.due_at <= now, OutboxEntry.died_at.is_(None))
            .order_by(OutboxEntry.due_at, OutboxEntry.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [Due(*row) for row in rows]

    async def schedule(self, entries: Sequence[Due], due_at: Sequence[datetime]) -> None:
        """Set, for each entry, how often it has been published by now and when it is due next."""
        await self._session.execute(
            update(OutboxEntry),
            [
                {"id": entry.id, "deliveries": entry.deliveries, "due_at": moment}
                for entry, moment in zip(entries, due_at, strict=True)
            ],
        )

    async def schedule_all(self, *, due_at: datetime) -> None:
        """Make every entry due at `due_at`: what had been published is known to be gone."""
        await self._session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.due_at > due_at)
            .values(due_at=due_at)
            .execution_options(synchronize_session=False)
        )

    async def failed(self, order_id: uuid.UUID, *, error: str, due_at: Callable[[int], datetime]) -> None:
        """Keep why a delivery failed, and set when the next one is due.

        Args:
            due_at: gives the time for the number of deliveries so far.
        """
        entry = await self._session.scalar(
            select(OutboxEntry).where(OutboxEntry.order_id == order_id, OutboxEntry.died_at.is_(None))
        )
        if entry is not None:
            entry.last_error = error[:_LONGEST_ERROR]
            entry.due_at = due_at(entry.deliveries)

    async def bury(self, order_ids: Collection[uuid.UUID], *, now: datetime) -> None:
        """Set claimed entries aside as dead letters; the claim counted a delivery that is not made."""
        await self._session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.order_id.in_(order_ids))
            .values(died_at=now, deliveries=OutboxEntry.deliveries - 1)
            .execution_options(synchronize_session=False)
        )

    async def dead(self) -> Sequence[OutboxEntry]:
        """The dead letters, oldest first."""
        found = await self._session.scalars(
            select(OutboxEntry).where(OutboxEntry.died_at.is_not(None)).order_by(OutboxEntry.died_at)
        )
        return found.all()

    async def replay(self, order_ids: Collection[uuid.UUID], *, now: datetime) -> int:
        """Have dead letters delivered again, as if for the first time; how many there were."""
        result = await self._session.execute(
            update(OutboxEntry)
            .where(OutboxEntry.order_id.in_(order_ids), OutboxEntry.died_at.is_not(None))
            .values(died_at=None, deliveries=0, due_at=now)
            .execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)  # noqa: S101 - tells the type checker what an UPDATE gives
        return result.rowcount

    async def remove(self, order_ids: Collection[uuid.UUID]) -> None:
        """The orders are decided; nothing is owed any more."""
        await self._session.execute(
            delete(OutboxEntry)
            .where(OutboxEntry.order_id.in_(order_ids))
            .execution_options(synchronize_session=False)
        )
