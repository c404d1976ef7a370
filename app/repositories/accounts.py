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

    async def password_hash(self, account_id: str) -> str | None:
        """The hash to check a password with; None when there is no such account, or nobody can log in."""
        return await self._session.scalar(select(Account.password_hash).where(Account.id == account_id))
