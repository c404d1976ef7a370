"""Browsing products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.cursor import decode_cursor, encode_cursor
from app.core.exceptions import NotFoundError
from app.db.models import Product
from app.repositories.products import ProductRepository


@dataclass(frozen=True, slots=True)
class ProductPage:
    """Some products and the way to the next ones; None at the end."""

    items: Sequence[Product]
    next_cursor: str | None


class CatalogueService:
    """Reads the catalogue."""

    def __init__(self, session: AsyncSession) -> None:
        self._products = ProductRepository(session)

    async def page(self, *, limit: int, cursor: str | None) -> ProductPage:
        """The page after `cursor`, or the first.

        Raises:
            InvalidCursorError: the cursor is not ours.
        """
        after_id = decode_cursor(cursor) if cursor is not None else 0
        # One more than asked tells whether there is a next page, without counting them all.
        found = await self._products.page(after_id, limit + 1)
        items = found[:limit]
        return ProductPage(items, encode_cursor(items[-1].id) if len(found) > limit else None)

    async def get(self, product_id: int) -> Product:
        """One product.

        Raises:
            NotFoundError: there is none with that id.
        """
        product = await self._products.get(product_id)
        if product is None:
            raise NotFoundError(f"there is no product {product_id}")
        return product
