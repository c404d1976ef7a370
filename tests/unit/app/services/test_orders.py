from __future__ import annotations

from app.services.orders import LineRequest, OrderRequest


def test_the_digest_tells_bodies_apart_and_ignores_the_key() -> None:
    one = OrderRequest("acct-0001", (LineRequest(1, 2), LineRequest(3, 4)), "key-1")
    same = OrderRequest("acct-0001", (LineRequest(1, 2), LineRequest(3, 4)), "key-2")
    others = [
        OrderRequest("acct-0002", one.lines),
        OrderRequest("acct-0001", (LineRequest(1, 2),)),
        OrderRequest("acct-0001", (LineRequest(1, 2), LineRequest(34, 4))),
        OrderRequest("acct-0001", (LineRequest(3, 4), LineRequest(1, 2))),
    ]
    assert one.digest() == same.digest()
    assert len({request.digest() for request in (one, *others)}) == 5
