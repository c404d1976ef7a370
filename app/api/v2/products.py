"""Products, version 2: filtered and sorted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.dependencies import PageCursor, PageLimit, ProductControllerDep
from app.repositories.products import ProductFilter, ProductSort
from app.schemas.problems import problem_responses
from app.schemas.products import ProductOut, ProductPageOut

router = APIRouter(prefix="/api/v2/products", tags=["products"])

_Price = Annotated[int | None, Query(ge=0, le=2**31 - 1)]


@router.get("", responses=problem_responses(400, 422, 503))
async def list_products(
    products: ProductControllerDep,
    category: Annotated[str | None, Query(pattern=r"^[a-z]{1,50}$")] = None,
    q: Annotated[
        str | None, Query(pattern=r"^[\x20-\x7e]{1,50}$", description="Part of the name, in any case")
    ] = None,
    min_price_cents: _Price = None,
    max_price_cents: _Price = None,
    sort: ProductSort = ProductSort.ID,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> ProductPageOut:
    """List the products that fit, in the order asked for, a page at a time."""
    wanted = ProductFilter(category, q, min_price_cents, max_price_cents)
    return await products.search(wanted, sort, limit, cursor)


@router.get("/{id}", responses=problem_responses(404, 422, 503))
async def get_product(
    products: ProductControllerDep, product_id: Annotated[int, Path(alias="id", ge=1, le=2**31 - 1)]
) -> ProductOut:
    """Show one product."""
    return await products.get(product_id)
