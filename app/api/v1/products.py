"""Products, version 1."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.api.dependencies import ProductControllerDep
from app.schemas.problems import problem_responses
from app.schemas.products import ProductOut, ProductPageOut

router = APIRouter(prefix="/api/v1/products", tags=["products"])


@router.get("", responses=problem_responses(400, 422, 503))
async def list_products(
    products: ProductControllerDep,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> ProductPageOut:
    """List products in order of id, a page at a time."""
    return await products.page(limit, cursor)


@router.get("/{id}", responses=problem_responses(404, 422, 503))
async def get_product(
    products: ProductControllerDep, product_id: Annotated[int, Path(alias="id", ge=1, le=2**31 - 1)]
) -> ProductOut:
    """Show one product."""
    return await products.get(product_id)
