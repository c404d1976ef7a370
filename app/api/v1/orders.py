"""Orders, version 1: the fraud check runs while the caller waits."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from app.api.caching import private
from app.api.dependencies import IdempotencyKey, OrderControllerDep
from app.api.document import operation_id
from app.api.limits import ReadLimit, WriteLimit
from app.schemas.orders import OrderIn, OrderOutV1
from app.schemas.problems import problem_responses

router = APIRouter(
    prefix="/api/v1/orders",
    tags=["orders"],
    dependencies=[Depends(private)],
    deprecated=True,
    generate_unique_id_function=operation_id,
)


@router.post(
    "",
    dependencies=[WriteLimit],
    status_code=201,
    responses=problem_responses(400, 401, 403, 408, 409, 413, 422, 429, 503),
)
async def place_order(
    body: OrderIn, response: Response, orders: OrderControllerDep, idempotency_key: IdempotencyKey = None
) -> OrderOutV1:
    """Place an order; the answer holds the decision."""
    order = await orders.place_decided(body, idempotency_key)
    response.headers["Location"] = f"{router.prefix}/{order.id}"
    return order


@router.get("/{id}", dependencies=[ReadLimit], responses=problem_responses(401, 404, 422, 429, 503))
async def get_order(
    orders: OrderControllerDep, order_id: Annotated[uuid.UUID, Path(alias="id")]
) -> OrderOutV1:
    """Show one order."""
    return await orders.get_v1(order_id)
