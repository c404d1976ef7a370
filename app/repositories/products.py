"""The catalogue's queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.models import Product


class ProductSort(StrEnum):
    """The orders products can be listed in; a minus turns one round."""

    ID = "id"
    ID_DOWN = "-id"
    NAME = "name"
    NAME_DOWN = "-name"
    PRICE = "price_cents"
    PRICE_DOWN = "-price_cents"

    @property
    def field(self) -> str:
        """The column that is sorted by."""
        return self.removeprefix("-")

    @property
    def down(self) -> bool:
        """Whether the largest comes first."""
        return self.startswith("-")


@dataclass(frozen=True, slots=True)
class ProductFilter:
    """Which products; None leaves the criterion out."""

    category: str | None = None
    text: str | None = None
    """Part of the name, in any case."""
    min_price_cents: int | None = None
    max_price_cents: int | None = None


class ProductRepository:
    """Reads products."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, product_id: int) -> Product | None:
        """One product, or None."""
        return await self._session.get(Product, product_id)

    async def page(
        self,
        limit: int,
        *,
        wanted: ProductFilter | None = None,
        sort: ProductSort = ProductSort.ID,
        after: tuple[str | int, int] | None = None,
    ) -> Sequence[Product]:
        """At most `limit` products, in order, beginning after the row whose sort value and id are `after`.

        By key and not by offset: a later page costs no more than the first, and rows that come and go
        in between shift nothing.
        """
        query = _filtered(select(Product), wanted or ProductFilter())
        column = getattr(Product, sort.field)
        if after is not None:
            place = tuple_(column, Product.id)
            query = query.where(place < after if sort.down else place > after)
        if sort.down:
            query = query.order_by(column.desc(), Product.id.desc())
        else:
            query = query.order_by(column, Product.id)
        return (await self._session.scalars(query.limit(limit))).all()

    async def prices_cents(self, product_ids: Collection[int]) -> dict[int, int]:
        """The price of each id that exists."""
        rows = await self._session.execute(
            select(Product.id, Product.price_cents).where(Product.id.in_(product_ids))
        )
        return dict(rows.all())


def _filtered(query: Select[Product], wanted: ProductFilter) -> Select[Product]:
    if wanted.category is not None:
        query = query.where(Product.category == wanted.category)
    if wanted.text is not None:
        query = query.where(Product.name.icontains(wanted.text, autoescape=True))
    if wanted.min_price_cents is not None:
        query = query.where(Product.price_cents >= wanted.min_price_cents)
    if wanted.max_price_cents is not None:
        query = query.where(Product.price_cents <= wanted.max_price_cents)
    return query
