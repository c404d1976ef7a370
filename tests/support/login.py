"""What tests need to act as the shop's accounts."""

from __future__ import annotations

from app.core.keys import parse_keys
from app.core.tokens import TokenService

KEYS = "test:a-key-that-signs-nothing-outside-of-tests"
DEMO_PASSWORD = "a password for tests"


def account(number: int) -> str:
    """The id of a seeded account."""
    return f"acct-{number:04d}"


def bearer(number: int = 1) -> dict[str, str]:
    """The header of a request that the account makes, with a token signed by `KEYS`."""
    token = TokenService(parse_keys(KEYS), ttl_s=3600).issue(account(number))
    return {"Authorization": f"Bearer {token}"}
