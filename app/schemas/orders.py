"""Orders on the wire."""

import uuid
from datetime import datetime
from typing import Self

from pydantic import ConfigDict, Field, model_validator

from app.db.models import OrderStatus
from app.schemas.base import RequestModel, ResponseModel

MAX_LINES = 20
MAX_QUANTITY = 100


class OrderLineIn(RequestModel):
    """So many of one product."""

    product_id: int = Field(ge=1, le=2**31 - 1)
    quantity: int = Field(ge=1, le=MAX_QUANTITY)


class OrderIn(RequestModel):
    """An order to place."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"lines": [{"product_id": 1, "quantity": 2}, {"product_id": 7, "quantity": 1}]}]
        },
    )

    account_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=32,
        pattern=r"^[A-Za-z0-9-]+$",
        description="Who buys: the caller's own account, which is also what is meant when it is left out",
        examples=["acct-0001"],
    )
    lines: list[OrderLineIn] = Field(min_length=1, max_length=MAX_LINES)

    @model_validator(mode="after")
    def _each_product_once(self) -> Self:
        ids = [line.product_id for line in self.lines]
        if len(set(ids)) != len(ids):
            raise ValueError("each product may appear on one line only")
        return self


class OrderLineOut(ResponseModel):
    """One line, at the price it was taken for."""

    product_id: int
    quantity: int
    unit_price_cents: int


class OrderOutV1(ResponseModel):
    """An order, decided before it is answered."""

    id: uuid.UUID
    account_id: str
    status: OrderStatus
    amount_cents: int
    lines: list[OrderLineOut]
    created_at: datetime
    decided_at: datetime | None


class FraudOut(ResponseModel):
    """What the fraud check found."""

    score: float | None = Field(description="Probability of fraud, 0 to 1; null when no check could be made")
    reasons: list[str]


class OrderOutV2(OrderOutV1):
    """An order that may still be pending; `fraud` comes with the decision."""

    fraud: FraudOut | None


class OrderPageOut(ResponseModel):
    """Some of the caller's orders, newest first."""

    items: list[OrderOutV2]
    next_cursor: str | None = Field(description="Hand it back as `cursor` for the next page; null at the end")
