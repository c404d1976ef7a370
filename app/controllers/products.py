"""Products for the wire."""

from __future__ import annotations

from app.repositories.products import ProductFilter, ProductSort
from app.schemas.products import PriceIn, ProductOut, ProductPageOut
from app.services.catalogue import CatalogueService


class ProductController:
    """Answers questions about products."""

    def __init__(self, catalogue: CatalogueService) -> None:
        self._catalogue = catalogue

    async def page(self, limit: int, cursor: str | None) -> ProductPageOut:
        """A page of products (v1)."""
        return ProductPageOut.model_validate(await self._catalogue.page(limit=limit, cursor=cursor))

    async def search(
        self, wanted: ProductFilter, sort: ProductSort, limit: int, cursor: str | None
    ) -> ProductPageOut:
        """A page of the products that fit (v2)."""
        return ProductPageOut.model_validate(
            await self._catalogue.search(wanted, sort, limit=limit, cursor=cursor)
        )

    async def get(self, product_id: int) -> ProductOut:
        """One product."""
        return ProductOut.model_validate(await self._catalogue.get(product_id))

    async def set_price(self, product_id: int, body: PriceIn) -> ProductOut:
        """One product, at another price."""
        return ProductOut.model_validate(await self._catalogue.set_price(product_id, body.price_cents))
