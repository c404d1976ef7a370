"""Browsing products, and changing their prices."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import orjson

from app.cache.queries import Codec, QueryCache
from app.core.cursor import decode_cursor, decode_position, encode_cursor, encode_position
from app.core.exceptions import NotFoundError
from app.db.engine import Database
from app.db.models import Product
from app.repositories.products import ProductFilter, ProductRepository, ProductSort
from app.shared.changes import PRODUCTS, Changes, product_tag


class ProductRow(NamedTuple):
    """A product as it is kept: plain values that Redis can hold."""

    id: int
    sku: str
    name: str
    category: str
    price_cents: int

    @classmethod
    def of(cls, product: Product) -> ProductRow:
        """The row of a product."""
        return cls(product.id, product.sku, product.name, product.category, product.price_cents)


class ProductPage(NamedTuple):
    """Some products and the way to the next ones; None at the end."""

    items: list[ProductRow]
    next_cursor: str | None


def _write_rows(rows: list[ProductRow]) -> bytes:
    return orjson.dumps([list(row) for row in rows])


def _read_rows(payload: bytes) -> list[ProductRow]:
    rows: list[list[Any]] = orjson.loads(payload)
    return [ProductRow(*row) for row in rows]


_ROWS: Codec[list[ProductRow]] = Codec(_write_rows, _read_rows)


class CatalogueService:
    """Reads the catalogue through the cache; it opens sessions of its own, for most reads need none."""

    def __init__(self, database: Database, cache: QueryCache, changes: Changes) -> None:
        self._database = database
        self._cache = cache
        self._changes = changes

    async def page(self, *, limit: int, cursor: str | None) -> ProductPage:
        """The page after `cursor`, or the first; in order of id (v1).

        Raises:
            InvalidCursorError: the cursor is not ours.
        """
        last_id = decode_cursor(cursor) if cursor is not None else 0
        found = await self._found(limit, ProductFilter(), ProductSort.ID, (last_id, last_id))
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
        found = await self._found(limit, wanted, sort, after)
        items = found[:limit]
        if len(found) <= limit:
            return ProductPage(items, None)
        last = items[-1]
        return ProductPage(items, encode_position(kind, [getattr(last, sort.field), last.id]))

    async def get(self, product_id: int) -> ProductRow:
        """One product.

        Raises:
            NotFoundError: there is none with that id.
        """

        async def load(products: ProductRepository) -> list[ProductRow]:
            product = await products.get(product_id)
            return [] if product is None else [ProductRow.of(product)]

        # That there is none is kept too, or asking for what is not there would be a query each.
        rows = await self._rows(f"product:{product_id}", (product_tag(product_id),), load)
        if not rows:
            raise NotFoundError(f"there is no product {product_id}")
        return rows[0]

    async def set_price(self, product_id: int, price_cents: int) -> ProductRow:
        """Change a price, and have every pod forget the old one.

        Raises:
            NotFoundError: there is no product with that id.
        """
        async with self._database.session() as session:
            product = await ProductRepository(session).get(product_id)
            if product is None:
                raise NotFoundError(f"there is no product {product_id}")
            product.price_cents = price_cents
            await session.commit()
        await self._changes.announce(product_tag(product_id), PRODUCTS)
        return ProductRow.of(product)

    async def _found(
        self, limit: int, wanted: ProductFilter, sort: ProductSort, after: tuple[str | int, int] | None
    ) -> list[ProductRow]:
        """One more than asked for, where there is one: it tells of a next page without counting them all."""

        async def load(products: ProductRepository) -> list[ProductRow]:
            page = await products.page(limit + 1, wanted=wanted, sort=sort, after=after)
            return [ProductRow.of(product) for product in page]

        criteria = [wanted.category, wanted.text, wanted.min_price_cents, wanted.max_price_cents]
        key = orjson.dumps([*criteria, sort, after, limit]).decode()
        return await self._rows(f"products:{key}", (PRODUCTS,), load)

    async def _rows(
        self,
        key: str,
        tags: tuple[str, ...],
        load: Callable[[ProductRepository], Awaitable[list[ProductRow]]],
    ) -> list[ProductRow]:
        async def query() -> list[ProductRow]:
            async with self._database.session() as session:
                return await load(ProductRepository(session))

        return await self._cache.fetch(key, tags, query, _ROWS)
