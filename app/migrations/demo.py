"""A password for the seeded accounts, so that load tests and people can log in."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from app.core.passwords import hash_password, matches
from app.db.models import Account
from app.migrations.seed import ACCOUNTS, account_id


def set_demo_password(connection: Connection, password: str) -> bool:
    """Give every seeded account this password; False when they have it already.

    One hash for all of them: they share the password, so fifty salts would hide nothing and cost fifty
    times the CPU.
    """
    ids = [account_id(number) for number in range(1, ACCOUNTS + 1)]
    last = connection.scalar(select(Account.password_hash).where(Account.id == ids[-1]))
    if last is not None and matches(last, password):
        return False
    connection.execute(
        update(Account).where(Account.id.in_(ids)).values(password_hash=hash_password(password))
    )
    return True
