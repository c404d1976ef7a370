"""Read lines of any length in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Line:
    """One line of input."""

    number: int
    """Counted from 1."""
    data: bytes
    """Without its end; empty where it was too long."""
    length: int
    """Bytes it has, which may be more than were kept."""
    whole: bool
    """Whether `data` is all of it."""


def bounded_lines(stream: BinaryIO, longest: int) -> Iterator[Line]:
    """Yield the lines of `stream`, of which none takes more than `longest` bytes of memory.

    What a longer line has beyond is read and dropped. A last line without an end is a line.
    """
    number, held, length = 1, bytearray(), 0
    while chunk := stream.read(_CHUNK):
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            yield _line(number, held, part, length + len(part), longest)
            number, length = number + 1, 0
            held.clear()
        length += len(rest)
        if length <= longest:
            held += rest
        else:
            held.clear()
    if length:
        yield _line(number, held, b"", length, longest)


def _line(number: int, held: bytearray, part: bytes, length: int, longest: int) -> Line:
    if length > longest:
        return Line(number, b"", length, whole=False)
    return Line(number, bytes(held) + part, length, whole=True)
