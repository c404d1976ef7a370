from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.cursor import decode_cursor, encode_cursor
from app.core.exceptions import InvalidCursorError


@given(st.integers(0, 2**31 - 1))
def test_what_goes_in_comes_out(last_id: int) -> None:
    cursor = encode_cursor(last_id)
    assert decode_cursor(cursor) == last_id
    assert cursor.isascii()
    assert not set(cursor) & set("+/=&?%# ")


@given(st.text(max_size=40))
def test_anything_else_is_refused_and_nothing_worse(text: str) -> None:
    try:
        last_id = decode_cursor(text)
    except InvalidCursorError:
        return
    assert encode_cursor(last_id) == text


@pytest.mark.parametrize(
    "inside", ["p1:-1", "p1:+1", "p1: 1", "p1:01", "p1:1_0", "p1:2147483648", "p2:1", "1", "p1:"]
)
def test_another_spelling_of_a_number_is_refused(inside: str) -> None:
    with pytest.raises(InvalidCursorError):
        decode_cursor(base64.urlsafe_b64encode(inside.encode()).rstrip(b"=").decode())
