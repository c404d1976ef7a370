"""Orders, version 2: taken at once, decided by a worker."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from app.api.caching import private
from app.api.dependencies import IdempotencyKey, OrderControllerDep, PageCursor, PageLimit
from app.api.document import operation_id
from app.api.limits import ReadLimit, WriteLimit
from app.db.models import OrderStatus
from app.schemas.orders import OrderIn, OrderOutV2, OrderPageOut
from app.schemas.problems import problem_responses

router = APIRouter(
    prefix="/api/v2/orders",
    tags=["orders"],
    dependencies=[Depends(private)],
    generate_unique_id_function=operation_id,
)


@router.post(
    "",
    dependencies=[WriteLimit],
    status_code=202,
    responses={
        202: {"headers": {"Location": {"description": "The order", "schema": {"type": "string"}}}},
        **problem_responses(400, 401, 403, 408, 409, 413, 422, 429, 503),
    },
)
async def place_order(
    body: OrderIn, response: Response, orders: OrderControllerDep, idempotency_key: IdempotencyKey = None
) -> OrderOutV2:
    """Place an order; follow `Location` for the decision."""
    order = await orders.place_pending(body, idempotency_key)
    response.headers["Location"] = f"{router.prefix}/{order.id}"
    return order


@router.get("", dependencies=[ReadLimit], responses=problem_responses(400, 401, 422, 429, 503))
async def list_orders(
    orders: OrderControllerDep,
    status: OrderStatus | None = None,
    limit: PageLimit = 20,
    cursor: PageCursor = None,
) -> OrderPageOut:
    """List the caller's orders, newest first, a page at a time."""
    return await orders.page(status, limit, cursor)


@router.get("/{id}", dependencies=[ReadLimit], responses=problem_responses(401, 404, 422, 429, 503))
async def get_order(
    orders: OrderControllerDep, order_id: Annotated[uuid.UUID, Path(alias="id")]
) -> OrderOutV2:
    """Show one order, decided or not."""
    return await orders.get_v2(order_id)
