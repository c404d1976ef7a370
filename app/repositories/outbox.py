"""The outbox's queries."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import OutboxEntry


@dataclass(frozen=True, slots=True)
class Due:
    """An entry whose time has come."""

    id: int
    order_id: uuid.UUID
    deliveries: int
    """How often it was published before."""


class OutboxRepository:
    """Reads and writes outbox entries."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    def add(self, order_id: uuid.UUID, *, now: datetime) -> None:
        """Owe a decision on the order; due at once."""
        self._session.add(OutboxEntry(order_id=order_id, deliveries=0, created_at=now, due_at=now))

    async def lock_due(self, *, now: datetime, limit: int) -> Sequence[Due]:
        """Entries that are due, oldest first, locked until commit.

        Entries another relay has locked are passed over, so two relays share the work without waiting.
        """
        rows = await self._session.execute(
            select(OutboxEntry.id, OutboxEntry.order_id, OutboxEntry.deliveries)
            .where(OutboxEntry.due_at <= now)
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

    async def remove(self, order_ids: Collection[uuid.UUID]) -> None:
        """The orders are decided; nothing is owed any more."""
        await self._session.execute(
            delete(OutboxEntry)
            .where(OutboxEntry.order_id.in_(order_ids))
            .execution_options(synchronize_session=False)
        )
