from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from app.schemas.orders import MAX_LINES, OrderIn

LINE = {"product_id": 1, "quantity": 1}


def test_a_proper_order_is_read() -> None:
    order = OrderIn.model_validate({"account_id": "acct-0001", "lines": [LINE, LINE | {"product_id": 2}]})
    assert [line.product_id for line in order.lines] == [1, 2]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"account_id": ""}, "account_id"),
        ({"account_id": "a" * 33}, "account_id"),
        ({"account_id": "a/../b"}, "account_id"),
        ({"lines": []}, "lines"),
        ({"lines": [LINE | {"product_id": n} for n in range(1, MAX_LINES + 2)]}, "lines"),
        ({"lines": [LINE | {"quantity": 0}]}, "quantity"),
        ({"lines": [LINE | {"quantity": 101}]}, "quantity"),
        ({"lines": [LINE | {"quantity": 1.5}]}, "quantity"),
        ({"lines": [LINE | {"product_id": 2**31}]}, "product_id"),
        ({"lines": [LINE | {"price": 1}]}, "price"),
        ({"coupon": "x"}, "coupon"),
    ],
)
def test_anything_else_is_refused_where_it_is_wrong(change: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OrderIn.model_validate({"account_id": "acct-0001", "lines": [LINE]} | change)
    assert where in caught.value.errors()[0]["loc"]


def test_a_product_on_two_lines_is_refused() -> None:
    with pytest.raises(ValidationError, match="one line only"):
        OrderIn.model_validate({"account_id": "acct-0001", "lines": [LINE, LINE]})
