"""Products, version 2: filtered and sorted."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api.caching import NOT_MODIFIED, cached_response
from app.api.dependencies import (
    OperatorOnly,
    PageCursor,
    PageLimit,
    ProductControllerDep,
    ProductId,
    ResourcesDep,
)
from app.api.document import operation_id
from app.api.limits import OperatorLimit, ReadLimit
from app.repositories.products import ProductFilter, ProductSort
from app.schemas.problems import problem_responses
from app.schemas.products import PriceIn, ProductOut, ProductPageOut
from app.shared.changes import PRODUCTS, product_tag

router = APIRouter(prefix="/api/v2/products", tags=["products"], generate_unique_id_function=operation_id)

_Price = Annotated[int | None, Query(ge=0, le=2**31 - 1)]


@router.get(
    "",
    dependencies=[ReadLimit],
    response_model=ProductPageOut,
    responses=NOT_MODIFIED | problem_responses(400, 422, 429, 503),
)
async def list_products(
    request: Request,
    resources: ResourcesDep,
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
) -> Response:
    """List the products that fit, in the order asked for, a page at a time."""
    wanted = ProductFilter(category, q, min_price_cents, max_price_cents)
    return await cached_response(
        request,
        resources,
        key=f"v2.products:{wanted}:{sort}:{limit}:{cursor}",
        tags=(PRODUCTS,),
        produce=lambda: products.search(wanted, sort, limit, cursor),
    )


@router.get(
    "/{id}",
    dependencies=[ReadLimit],
    response_model=ProductOut,
    responses=NOT_MODIFIED | problem_responses(404, 422, 429, 503),
)
async def get_product(
    request: Request, resources: ResourcesDep, products: ProductControllerDep, product_id: ProductId
) -> Response:
    """Show one product."""
    return await cached_response(
        request,
        resources,
        key=f"product:{product_id}",
        tags=(product_tag(product_id),),
        produce=lambda: products.get(product_id),
    )


@router.patch(
    "/{id}",
    dependencies=[OperatorLimit, OperatorOnly],
    responses=problem_responses(400, 401, 404, 408, 413, 422, 429, 503),
)
async def set_price(products: ProductControllerDep, product_id: ProductId, body: PriceIn) -> ProductOut:
    """Change a product's price. For operators; every pod's caches follow."""
    return await products.set_price(product_id, body)
