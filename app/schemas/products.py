"""Products on the wire."""

from pydantic import Field

from app.schemas.base import RequestModel, ResponseModel


class PriceIn(RequestModel):
    """Another price."""

    price_cents: int = Field(ge=1, le=10_000_000, description="Price of one piece, in cents", examples=[1999])


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
