"""Questions to a test's database, asked past the service."""

from __future__ import annotations

import asyncio

from sqlalchemy import text

from app.db.engine import make_engine


def rows(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Run the statements in one transaction; the rows of the last."""

    async def run() -> list[tuple[object, ...]]:
        engine = make_engine(url, pool_size=1, application="test")
        try:
            async with engine.begin() as connection:
                result = None
                for statement in statements:
                    result = await connection.execute(text(statement))
                return [tuple(row) for row in result] if result is not None and result.returns_rows else []
        finally:
            await engine.dispose()

    return asyncio.run(run())
