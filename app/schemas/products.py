"""Products on the wire."""

from __future__ import annotations

from pydantic import Field

from app.schemas.base import ResponseModel


class ProductOut(ResponseModel):
    """One product."""

    id: int
    sku: str
    name: str
    category: str
    price_cents: int = Field(description="Price of one piece, in cents")


class ProductPageOut(ResponseModel):
    """Some products, in the order asked for."""

    items: list[ProductOut]
    next_cursor: str | None = Field(description="Hand it back as `cursor` for the next page; null at the end")
