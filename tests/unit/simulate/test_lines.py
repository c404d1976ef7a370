from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from tidegate.simulate.lines import Line, bounded_lines


def test_a_line_that_is_too_long_is_dropped_and_counted() -> None:
    stream = io.BytesIO(b"short\n" + b"x" * 1_000_000 + b"\nlast")
    assert list(bounded_lines(stream, 10)) == [
        Line(1, b"short", 5, whole=True),
        Line(2, b"", 1_000_000, whole=False),
        Line(3, b"last", 4, whole=True),
    ]


class Endless(io.RawIOBase):
    """One line without an end, given in parts."""

    def __init__(self, chunks: int) -> None:
        self.chunks = chunks
        self.largest = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        self.largest = max(self.largest, size)
        self.chunks -= 1
        return b"[" * size if self.chunks >= 0 else b""


def test_an_endless_line_is_read_in_parts() -> None:
    stream = Endless(2000)
    (line,) = bounded_lines(stream, 1 << 20)  # pyright: ignore[reportArgumentType] - it has read()
    assert (line.whole, line.data) == (False, b"")
    assert line.length == 2000 * stream.largest
    assert stream.largest <= 1 << 20


@given(st.binary(max_size=400), st.integers(0, 30))
def test_lines_are_those_of_the_input(data: bytes, longest: int) -> None:
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    found = list(bounded_lines(io.BytesIO(data), longest))
    assert [line.length for line in found] == [len(part) for part in expected]
    assert [line.data for line in found] == [part if len(part) <= longest else b"" for part in expected]
    assert [line.number for line in found] == list(range(1, len(expected) + 1))
