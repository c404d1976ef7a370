"""Products, version 1."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.api.caching import NOT_MODIFIED, cached_response
from app.api.dependencies import ProductControllerDep, ProductId, ResourcesDep
from app.api.document import operation_id
from app.api.limits import ReadLimit
from app.schemas.problems import problem_responses
from app.schemas.products import ProductOut, ProductPageOut
from app.shared.changes import PRODUCTS, product_tag

router = APIRouter(
    prefix="/api/v1/products", tags=["products"], deprecated=True, generate_unique_id_function=operation_id
)


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
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """List products in order of id, a page at a time."""
    return await cached_response(
        request,
        resources,
        key=f"v1.products:{limit}:{cursor}",
        tags=(PRODUCTS,),
        produce=lambda: products.page(limit, cursor),
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
