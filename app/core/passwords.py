"""Password hashes, made beside the event loop and one at a time.

argon2 is imported with the first of them: the start of a pod is what scaling up waits for, and few log in.
"""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING

from app.core.exceptions import OverloadedError

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# The least the OWASP Password Storage Cheat Sheet asks of Argon2id: 19 MiB, two passes, one lane. Some
# 25 ms of one core, and memory that a pod of 256 MiB has to spare once, which is why hashes take turns.
_TIME_COST, _MEMORY_KIB, _LANES = 2, 19 * 1024, 1

QUEUE_LIMIT = 32
"""Logins waiting for their turn at which further ones are refused: about a second's worth."""


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher(time_cost=_TIME_COST, memory_cost=_MEMORY_KIB, parallelism=_LANES)


@lru_cache(maxsize=1)
def _nobodys_hash() -> str:
    return _hasher().hash("the password of no account")


def hash_password(password: str) -> str:
    """A salted Argon2id hash in the PHC string form. Takes CPU: not for the event loop."""
    return _hasher().hash(password)


def matches(password_hash: str | None, password: str) -> bool:
    """Whether the password made the hash. Takes as long when there is no hash. Not for the event loop."""
    from argon2.exceptions import InvalidHashError, VerificationError

    try:
        return _hasher().verify(password_hash or _nobodys_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


class PasswordChecker:
    """Checks passwords for the web process: in a thread (argon2 lets go of the interpreter lock), one by
    one, and no more than can be done in useful time."""

    def __init__(self, *, queue_limit: int = QUEUE_LIMIT) -> None:
        self._turn = asyncio.Semaphore(1)
        self._queue_limit = queue_limit
        self._waiting = 0

    async def check(self, password_hash: str | None, password: str) -> bool:
        """Whether the password made the hash; None is the hash of an account that is not there.

        Raises:
            OverloadedError: too many logins wait already.
        """
        if self._waiting >= self._queue_limit:
            raise OverloadedError("too many logins are waiting", retry_after_s=1)
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(matches, password_hash, password)
        finally:
            self._waiting -= 1
