"""Logging in."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.exceptions import InvalidGrantError
from app.core.passwords import PasswordChecker
from app.core.tokens import TokenService
from app.repositories.accounts import AccountRepository


class AuthService:
    """Trades passwords for tokens."""

    def __init__(self, session: AsyncSession, passwords: PasswordChecker, tokens: TokenService) -> None:
        self._session = session
        self._passwords = passwords
        self._tokens = tokens

    async def log_in(self, account_id: str, password: str) -> str:
        """An access token for the account.

        Raises:
            InvalidGrantError: no such account, or not its password; it takes as long to find out either.
            OverloadedError: too many logins wait already.
        """
        password_hash = await AccountRepository(self._session).password_hash(account_id)
        # Gives the connection back: the check takes far longer than the query did.
        await self._session.commit()
        if not await self._passwords.check(password_hash, password):
            raise InvalidGrantError("the user name or the password is wrong")
        return self._tokens.issue(account_id)
