"""What is limited, and what becomes of it without Redis."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.settings import Settings
from app.shared.limiter import Use, WithoutRedis


@dataclass(frozen=True)
class Limits:
    """The uses, with the rates of the settings."""

    reads: Use
    writes: Use
    logins: Use
    operators: Use

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """Each use declares here what it does without Redis."""
        return cls(
            # Mostly answered from memory: nothing that an outage of Redis makes dearer.
            reads=Use("reads", settings.limit_reads, exact=False, without_redis=WithoutRedis.OPEN),
            # Each costs a fraud check, here or in the queue.
            writes=Use("writes", settings.limit_writes, exact=True, without_redis=WithoutRedis.LOCAL),
            # Guessing must not become free, and nobody may be locked out by an outage.
            logins=Use("logins", settings.limit_logins, exact=True, without_redis=WithoutRedis.LOCAL),
            # Nobody orders less for lack of these routes.
            operators=Use(
                "operators", settings.limit_operators, exact=True, without_redis=WithoutRedis.CLOSED
            ),
        )
