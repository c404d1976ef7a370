"""The accounts' queries."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Account


class AccountRepository:
    """Reads accounts."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def exists(self, account_id: str) -> bool:
        """Whether there is such an account."""
        return await self._session.scalar(select(Account.id).where(Account.id == account_id)) is not None
