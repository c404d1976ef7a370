"""The catalogue's queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Product


class ProductRepository:
    """Reads products."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, product_id: int) -> Product | None:
        """One product, or None."""
        return await self._session.get(Product, product_id)

    async def page(self, after_id: int, limit: int) -> Sequence[Product]:
        """At most `limit` products with ids above `after_id`, in order of id.

        By key and not by offset, so a later page costs no more than the first.
        """
        found = await self._session.scalars(
            select(Product).where(Product.id > after_id).order_by(Product.id).limit(limit)
        )
        return found.all()

    async def prices_cents(self, product_ids: Collection[int]) -> dict[int, int]:
        """The price of each id that exists."""
        rows = await self._session.execute(
            select(Product.id, Product.price_cents).where(Product.id.in_(product_ids))
        )
        return dict(rows.all())
