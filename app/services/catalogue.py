"""Browsing products."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.core.cursor import decode_cursor, decode_position, encode_cursor, encode_position
from app.core.exceptions import NotFoundError
from app.db.models import Product
from app.repositories.products import ProductFilter, ProductRepository, ProductSort


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
        """The page after `cursor`, or the first; in order of id (v1).

        Raises:
            InvalidCursorError: the cursor is not ours.
        """
        last_id = decode_cursor(cursor) if cursor is not None else 0
        # One more than asked tells whether there is a next page, without counting them all.
        found = await self._products.page(limit + 1, after=(last_id, last_id))
        items = found[:limit]
        return ProductPage(items, encode_cursor(items[-1].id) if len(found) > limit else None)

    async def search(
        self, wanted: ProductFilter, sort: ProductSort, *, limit: int, cursor: str | None
    ) -> ProductPage:
        """The page after `cursor`, or the first, of the products that fit (v2).

        A cursor names a place in the order, so it holds for any filter, but for its own order only.

        Raises:
            InvalidCursorError: the cursor is not ours, or of another order.
        """
        kind = f"products:{sort}"
        after: tuple[str | int, int] | None = None
        if cursor is not None:
            value, last_id = decode_position(cursor, kind, [str if sort.field == "name" else int, int])
            after = (value, last_id)
        found = await self._products.page(limit + 1, wanted=wanted, sort=sort, after=after)
        items, last = found[:limit], found[limit - 1 : limit]
        following = (
            encode_position(kind, [getattr(last[0], sort.field), last[0].id]) if len(found) > limit else None
        )
        return ProductPage(items, following)

    async def get(self, product_id: int) -> Product:
        """One product.

        Raises:
            NotFoundError: there is none with that id.
        """
        product = await self._products.get(product_id)
        if product is None:
            raise NotFoundError(f"there is no product {product_id}")
        return product
