from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.cursor import decode_cursor, decode_position, encode_cursor, encode_position
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


@given(st.text(max_size=20), st.integers(-(2**63), 2**63 - 1))
def test_a_position_comes_back_for_its_own_listing(name: str, last_id: int) -> None:
    cursor = encode_position("names", [name, last_id])
    assert decode_position(cursor, "names", [str, int]) == [name, last_id]
    for kind, types in (
        ("prices", [str, int]),
        ("names", [int, int]),
        ("names", [str]),
        ("names", [str] * 3),
    ):
        with pytest.raises(InvalidCursorError):
            decode_position(cursor, kind, types)


@given(st.text(max_size=60))
def test_no_text_is_a_position_that_was_not_given_out(text: str) -> None:
    with pytest.raises(InvalidCursorError):
        decode_position(text, "names", [str, int])


@pytest.mark.parametrize(
    "inside", [b'["names", "a",1]', b'["names","a",true]', b'["names","a",1.0]', b"{}", b"1"]
)
def test_another_spelling_of_a_position_is_refused(inside: bytes) -> None:
    with pytest.raises(InvalidCursorError):
        decode_position(base64.urlsafe_b64encode(inside).rstrip(b"=").decode(), "names", [str, int])
